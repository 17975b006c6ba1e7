//! What sources found as views: no revision, no ledger.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::model::PoolName;

use super::Writer;
use crate::core::catalog;
use crate::core::change::Batch;
use crate::core::commit::{Committed, LeftOut, Rejected};
use crate::core::layers::Endpoints;

/// How pools were before they were replaced.
type Before = Vec<(PoolName, Option<Arc<Endpoints>>)>;

impl Writer {
    /// Takes the endpoints that sources found. What is at fault of one pool keeps that pool as it is, not the others, and never gets into a
    /// layer from which the next commit is built.
    pub(super) fn rediscover(&mut self, batch: &Batch) -> Result<Committed, Rejected> {
        let before = Arc::clone(&self.outlets.views.borrow());
        let (replaced, left_out) = self.replace(batch);
        let nothing = Committed {
            left_out,
            ..Committed::nothing(before.version())
        };
        if before.version().revision == 0 {
            // Nothing is published yet. The next commit takes it along.
            return Ok(nothing);
        }
        let changed: BTreeSet<PoolName> = replaced.iter().map(|(pool, _)| pool.clone()).collect();
        match before.rediscovered(&self.layers, &changed) {
            Ok(views) => {
                let touched = views.touched_since(&before);
                if touched.is_empty() {
                    return Ok(nothing);
                }
                let version = views.version();
                self.show(views, &touched);
                Ok(Committed {
                    version,
                    touched,
                    ..nothing
                })
            }
            Err(faults) => {
                for (pool, before) in replaced {
                    self.layers.discovered.set(&pool, before);
                }
                Err(Rejected::Snapshot(faults))
            }
        }
    }

    /// Puts the pools that are right into the layer; how they were, and the others.
    fn replace(&mut self, batch: &Batch) -> (Before, Vec<LeftOut>) {
        let discovered = &mut self.layers.discovered;
        let (mut replaced, mut left_out) = (Vec::new(), Vec::new());
        for (pool, found) in &batch.pools {
            let faults = catalog::faults_of_found(pool, discovered.endpoints(pool), found);
            let pool = pool.clone();
            if faults.is_empty() {
                let before = discovered.set(&pool, Some(Arc::clone(found)));
                replaced.push((pool, before));
            } else {
                left_out.push(LeftOut { pool, faults });
            }
        }
        (replaced, left_out)
    }
}
