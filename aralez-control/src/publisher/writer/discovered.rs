//! What sources found as views: no revision, no ledger.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::model::PoolName;

use super::Writer;
use crate::core::commit::Rejected;
use crate::core::layers::Discovered;

impl Writer {
    /// Takes all that sources found, of which these pools changed.
    pub(in super::super) fn rediscover(
        &mut self,
        all: Discovered,
        changed: &BTreeSet<PoolName>,
    ) -> Result<(), Rejected> {
        self.layers.discovered = all;
        let before = Arc::clone(&self.outlets.views.borrow());
        if before.version().revision == 0 {
            // Nothing is published yet. The next commit takes it along.
            return Ok(());
        }
        let views = before.rediscovered(&self.layers, changed);
        let views = views.map_err(Rejected::Snapshot)?;
        if views.touched_since(&before).is_empty() {
            return Ok(());
        }
        self.outlets.views.send_replace(Arc::new(views));
        Ok(())
    }
}
