//! The snapshots of all nodes, shared: nodes at the same version hold one snapshot, and each step from one version to the next is verified
//! once for all of them.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::hash::Digest;
use aralez_proto::record::{Change, RecordKey, ResourceType};
use aralez_proto::snapshot::{Limits, SharedSnapshot, Snapshot};
use aralez_proto::version::Version;
use aralez_proxy::core::sync::subscription::Update;

/// Number of steps kept; nodes are only a few versions apart.
const KEPT: usize = 64;

/// A verified step.
#[derive(Debug)]
struct Step {
    /// Root of the snapshot the step starts from; `None` for a full snapshot.
    from: Option<Digest>,
    to: Version,
    changes: Vec<Change>,
    snapshot: SharedSnapshot,
}

/// The snapshots of all nodes.
#[derive(Debug, Default)]
pub struct Contents {
    steps: Mutex<VecDeque<Step>>,
    /// The host that every node refuses.
    refused: OnceLock<RecordKey>,
}

impl Contents {
    /// Makes nodes refuse snapshots with this host from now on.
    pub fn refuse(&self, host: &str) {
        let key = RecordKey::new(ResourceType::VirtualHost, host);
        // Only the first call takes effect.
        let _ = self.refused.set(key);
    }

    /// Returns the snapshot after an update that nodes accept.
    ///
    /// # Errors
    /// The faults of [`Contents::verified`], or a fault for the refused host.
    pub fn follow(&self, held: &Snapshot, update: &Update) -> Result<SharedSnapshot, Faults> {
        let snapshot = self.verified(held, update)?;
        let has = |key: &&RecordKey| snapshot.records().get(key).is_some();
        let refused = self.refused.get().filter(has);
        let fault = |key| {
            Fault::of(
                key,
                FaultCode::Invalid,
                "",
                "this node is made to refuse it",
            )
        };
        Faults::check(refused.map(fault).into_iter().collect())?;
        Ok(snapshot)
    }

    /// Returns the snapshot after an update. The result is shared if another node received the same update byte for byte, or if the delta
    /// is exactly the difference to a snapshot that another node verified. Everything else is verified as a proxy does it.
    ///
    /// # Errors
    /// Every fault, as a proxy would find it.
    pub fn verified(&self, held: &Snapshot, update: &Update) -> Result<SharedSnapshot, Faults> {
        let from = (!update.full).then(|| held.version().root);
        let mut steps = self.steps.lock();
        let same = |step: &&Step| {
            step.from == from && step.to == update.to && step.changes == update.changes
        };
        if let Some(step) = steps.iter().find(same) {
            return Ok(Arc::clone(&step.snapshot));
        }
        if let Some(known) = steps.iter().find(|step| step.to == update.to)
            && from.is_some()
            && held.records().delta_to(known.snapshot.records()) == update.changes
        {
            return Ok(Arc::clone(&known.snapshot));
        }
        let limits = Limits::default();
        let empty = Snapshot::default();
        let base = if update.full { &empty } else { held };
        let (snapshot, _) = base.next(update.to, &update.changes, &limits)?;
        let snapshot = Arc::new(snapshot);
        steps.push_back(Step {
            from,
            to: update.to,
            changes: update.changes.clone(),
            snapshot: Arc::clone(&snapshot),
        });
        if steps.len() > KEPT {
            steps.pop_front();
        }
        Ok(snapshot)
    }

    /// Returns the held content under a newer version.
    pub fn renamed(&self, held: &Snapshot, version: Version) -> SharedSnapshot {
        let mut steps = self.steps.lock();
        let from = Some(held.version().root);
        let same =
            |step: &&Step| step.from == from && step.to == version && step.changes.is_empty();
        if let Some(step) = steps.iter().find(same) {
            return Arc::clone(&step.snapshot);
        }
        let snapshot = Arc::new(held.renamed(version));
        steps.push_back(Step {
            from,
            to: version,
            changes: Vec::new(),
            snapshot: Arc::clone(&snapshot),
        });
        snapshot
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aralez_proto::convert::pool_record;
    use aralez_proto::model::Pool;

    #[test]
    fn a_node_that_is_sent_what_does_not_lead_to_the_root_refuses_it_though_others_took_it() {
        let contents = Contents::default();
        let record = pool_record(&"app/".parse().unwrap(), &Pool::default());
        let changes = vec![Change::Put(record)];
        let held = Snapshot::default();
        let mut to = Version {
            revision: 1,
            ..Version::default()
        };
        let records = held.records().with(&changes);
        (to.root, to.authored_root) = (records.root(), records.authored_root());
        let update = Update {
            full: true,
            to,
            changes,
        };
        let first = contents.follow(&held, &update).unwrap();
        assert!(Arc::ptr_eq(
            &first,
            &contents.follow(&held, &update).unwrap()
        ));
        let lacking = Update {
            changes: Vec::new(),
            ..update.clone()
        };
        assert!(contents.follow(&held, &lacking).is_err());
        for full in [false, true] {
            let lacking = Update {
                full,
                ..lacking.clone()
            };
            assert!(contents.follow(&held, &lacking).is_err());
        }
        let delta = Update {
            full: false,
            ..update
        };
        assert!(Arc::ptr_eq(
            &first,
            &contents.follow(&held, &delta).unwrap()
        ));
    }
}
