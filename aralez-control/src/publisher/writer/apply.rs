//! The one way in: whatever changes the effective configuration is a change of one layer.

use super::Writer;
use crate::core::change::Change;
use crate::core::commit::{Committed, Rejected};

impl Writer {
    /// Makes a change, or says why not; nothing was changed then, or nobody knows yet.
    pub(in super::super) fn apply(&mut self, change: &Change) -> Result<Committed, Rejected> {
        match change {
            Change::Documents(proposal) => self.commit(proposal),
            Change::Operational(changes) => self.record(changes),
            Change::Discovered(batch) => self.rediscover(batch),
        }
    }
}
