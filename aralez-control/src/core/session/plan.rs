//! What a node is to be given next.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::model::PoolName;
use aralez_proto::record::{Change, RecordKey, ResourceType};
use aralez_proto::snapshot::{SharedSnapshot, Snapshot};
use aralez_proto::version::Version;

use super::{Action, Base, InFlight, Refusal, Session, Update};

/// How many refusals are remembered per node.
const MAX_REFUSALS: usize = 8;

impl Session {
    /// Sends what is newest for this node, where nothing is in flight.
    pub(super) fn advance(&mut self, now: Instant) -> Vec<Action> {
        if self.in_flight.is_some() || self.question.is_some() {
            return Vec::new();
        }
        let Some(to) = self.next_target() else {
            return self.recall();
        };
        match &self.base {
            _ if self.whole => self.send(Base::Nothing, to, now),
            Some(base) => self.send(Base::Snapshot(Arc::clone(base)), to, now),
            None if self.running.is_some() && self.asks => self.ask(to, now),
            None => self.send(Base::Nothing, to, now),
        }
    }

    pub(super) fn send(&mut self, from: Base, to: SharedSnapshot, now: Instant) -> Vec<Action> {
        self.updates += 1;
        self.whole = false;
        let id = self.updates;
        self.in_flight = Some(InFlight {
            id,
            to: Arc::clone(&to),
            complete: matches!(from, Base::Nothing),
            since: now,
            progress: now,
        });
        vec![Action::Send(Update { id, from, to })]
    }

    pub(super) fn remember(&mut self, refusal: Refusal) {
        self.refusals
            .retain(|earlier| earlier.root() != refusal.root());
        self.refusals.push(refusal);
        let excess = self.refusals.len().saturating_sub(MAX_REFUSALS);
        self.refusals.drain(..excess);
    }

    /// Why the newest view is not for this node.
    pub(super) fn refused(&self) -> Option<&Refusal> {
        let newest = self.recent.newest();
        if self
            .running
            .is_some_and(|running| running.root == newest.version().root)
        {
            return None;
        }
        self.blocking(newest)
    }

    /// What a heartbeat tells the node that it should run. A node that is spared refused content is right where it is.
    pub(super) fn expected(&self) -> Option<Version> {
        match (&self.in_flight, self.refused()) {
            (Some(update), _) => Some(update.to.version()),
            (None, Some(_)) => self.running,
            (None, None) if self.recent.newest().version().revision == 0 => self.running,
            (None, None) => Some(self.recent.newest().version()),
        }
    }

    fn next_target(&self) -> Option<SharedSnapshot> {
        let newest = self.recent.newest();
        if newest.version().revision == 0 {
            // Before the first commit there is nothing to tell anyone.
            return None;
        }
        if let Some(running) = self.running {
            let order = running.order(&newest.version());
            let same_root = running.root == newest.version().root;
            if order.is_gt() || (order.is_eq() && same_root) {
                return None;
            }
        }
        if self.refused().is_some() {
            return self.endpoints_only(newest).map(Arc::new);
        }
        Some(Arc::clone(newest))
    }

    fn blocking(&self, view: &Snapshot) -> Option<&Refusal> {
        // The newest refusal says most about what is wrong now.
        self.refusals
            .iter()
            .rev()
            .find(|refusal| refusal.blocks(view, &self.limits))
    }

    /// What the node runs, or else the view of its revision, with the endpoints of the newest view where nothing refused is needed for
    /// that. It keeps the node's revision, for its configuration is of that one.
    fn endpoints_only(&self, newest: &Snapshot) -> Option<Snapshot> {
        let base = self.base.as_ref().or_else(|| self.own.here())?;
        let running = self.running?;
        if self
            .refusals
            .iter()
            .any(|refusal| refusal.forbids_any_of(newest))
        {
            return None;
        }
        let faulted: BTreeSet<&RecordKey> =
            self.refusals.iter().flat_map(Refusal::faulted).collect();
        let delta: Vec<Change> = base
            .records()
            .delta_to(newest.records())
            .into_iter()
            .filter(|change| is_endpoint_of_both(change.key(), base, newest))
            .filter(|change| !matches!(change, Change::Put(put) if faulted.contains(&put.key)))
            .collect();
        let derive = |delta: &[Change]| -> Option<Snapshot> {
            let root = base.records().with(delta).root();
            let version = Version {
                root,
                sequence: newest.version().sequence,
                ..running
            };
            let (derived, _) = base.next(version, delta, &self.limits).ok()?;
            (root != running.root && self.blocking(&derived).is_none()).then_some(derived)
        };
        derive(&delta).or_else(|| {
            // New endpoints may be beyond the node's limits; removals and weights never are.
            let known = |change: &Change| base.records().get(change.key()).is_some();
            let fewer: Vec<Change> = delta
                .iter()
                .filter(|&change| known(change))
                .cloned()
                .collect();
            derive(&fewer)
        })
    }
}

/// Whether a record is an endpoint whose pool exists on both sides. Endpoints that go along with their pool go because of the configuration,
/// which this node does not take.
fn is_endpoint_of_both(key: &RecordKey, base: &Snapshot, newest: &Snapshot) -> bool {
    let pool = match key.kind {
        ResourceType::Endpoint => key.name.split_once(' '),
        _ => None,
    };
    let exists = |pool: &PoolName| {
        let has = |snapshot: &Snapshot| snapshot.resources().pools().get(pool).is_some();
        has(base) && has(newest)
    };
    pool.and_then(|(pool, _)| pool.parse().ok())
        .is_some_and(|pool: PoolName| exists(&pool))
}
