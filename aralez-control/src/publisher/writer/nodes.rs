//! The nodes that control expects, stored next to the revisions.

use super::Writer;
use crate::core::store::{NodeChanges, StoreError};

impl Writer {
    pub(in super::super) fn write_nodes(
        &mut self,
        changes: &NodeChanges,
    ) -> Result<(), StoreError> {
        self.store.write_nodes(changes)
    }
}
