//! What sources found as views: no revision, no ledger.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::fault::Fault;
use aralez_proto::model::PoolName;

use super::Writer;
use crate::core::catalog;
use crate::core::commit::Rejected;
use crate::core::layers::Discovered;

/// A pool that keeps the endpoints that it had, since what was found for it now is at fault.
pub(in super::super) type LeftOut = (PoolName, Vec<Fault>);

impl Writer {
    /// Takes all that sources found, of which these pools changed. What is at fault of one pool keeps that pool as it is, not the others, and
    /// never gets into a layer from which the next commit is built.
    pub(in super::super) fn rediscover(
        &mut self,
        mut all: Discovered,
        changed: &BTreeSet<PoolName>,
    ) -> Result<Vec<LeftOut>, Rejected> {
        let mut left_out = Vec::new();
        for pool in changed {
            let known = self.layers.discovered.endpoints(pool);
            let faults = catalog::faults_of_found(pool, known, all.endpoints(pool));
            if !faults.is_empty() {
                all.keep(pool, known.cloned());
                left_out.push((pool.clone(), faults));
            }
        }
        let previous = std::mem::replace(&mut self.layers.discovered, all);
        let before = Arc::clone(&self.outlets.views.borrow());
        if before.version().revision == 0 {
            // Nothing is published yet. The next commit takes it along.
            return Ok(left_out);
        }
        match before.rediscovered(&self.layers, changed) {
            Ok(views) => {
                let touched = views.touched_since(&before);
                if !touched.is_empty() {
                    self.show(views, &touched);
                }
                Ok(left_out)
            }
            Err(faults) => {
                self.layers.discovered = previous;
                Err(Rejected::Snapshot(faults))
            }
        }
    }
}
