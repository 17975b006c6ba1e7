//! The single entry point: every change of the effective configuration changes one layer.

use super::Writer;
use crate::core::change::Change;
use crate::core::commit::{Committed, Rejected};

impl Writer {
    /// Applies a change, or returns why it was rejected; nothing was changed then, or the outcome is not known yet.
    pub(in super::super) fn apply(&mut self, change: &Change) -> Result<Committed, Rejected> {
        match change {
            Change::Documents(proposal) => self.commit(proposal),
            Change::Operational(changes) => self.record(changes),
            Change::Discovered(batch) => self.rediscover(batch),
        }
    }
}
