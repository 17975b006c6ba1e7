//! Publishes discovered endpoints as views: no revision, no ledger.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::model::PoolName;

use super::Writer;
use crate::core::catalog;
use crate::core::change::Batch;
use crate::core::commit::{Committed, LeftOut, Rejected};
use crate::core::layers::Endpoints;

/// The previous endpoints of replaced pools.
type Before = Vec<(PoolName, Option<Arc<Endpoints>>)>;

impl Writer {
    /// Applies the endpoints that sources found. A faulty pool keeps its previous endpoints without affecting the others, and its faulty
    /// endpoints never enter a layer from which the next commit is built.
    pub(super) fn rediscover(&mut self, batch: &Batch) -> Result<Committed, Rejected> {
        let before = Arc::clone(&self.outlets.views.borrow());
        let (replaced, left_out) = self.replace(batch);
        let nothing = Committed {
            left_out,
            ..Committed::nothing(before.version())
        };
        if before.version().revision == 0 {
            // Nothing is published yet. The next commit includes them.
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
                self.publish_views(views, &touched);
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

    /// Replaces the endpoints of the valid pools. Returns their previous endpoints, and the pools left out.
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
