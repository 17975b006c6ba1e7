//! What a node is given that refuses the newest configuration: endpoints and all else that documents do not say.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::hash::Digest;
use aralez_proto::model::PoolName;
use aralez_proto::record::{Change, RecordKey};
use aralez_proto::snapshot::{Limits, SharedSnapshot, Snapshot};
use aralez_proto::version::Version;

use super::Refusal;
use super::refusals::Refusals;

/// The inputs of an endpoint update for a node that refuses the newest view: the base (what the node runs, or the view of its revision), the newest
/// view, and what the node refused.
#[derive(Clone, Debug)]
pub struct Derivation {
    key: Digest,
    base: SharedSnapshot,
    newest: SharedSnapshot,
    running: Version,
    refusals: Refusals,
    limits: Limits,
}

impl Derivation {
    pub(super) fn new(
        base: SharedSnapshot,
        newest: SharedSnapshot,
        running: Version,
        (refusals, limits): (Refusals, Limits),
    ) -> Self {
        let limits_of = [
            limits.max_snapshot_bytes,
            limits.max_hosts,
            limits.max_endpoints,
        ];
        // Both counters become those of the newest. No limit is as good as the highest.
        let numbers = [
            running.generation,
            running.revision,
            newest.version().sequence,
            newest.version().operational,
        ];
        let numbers = numbers
            .into_iter()
            .chain(limits_of.map(|limit| limit.unwrap_or(u64::MAX)));
        let numbers: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        let roots = [
            base.version().root,
            newest.version().root,
            running.root,
            refusals.mark(),
        ];
        let mut fields: Vec<&[u8]> = vec![&numbers];
        fields.extend(roots.iter().map(|root| root.as_bytes().as_slice()));
        Self {
            key: Digest::of_fields(&fields),
            base,
            newest,
            running,
            refusals,
            limits,
        }
    }

    /// Equal keys come to the same.
    pub const fn key(&self) -> Digest {
        self.key
    }

    /// Makes it, at the cost of what the views differ in. It keeps the node's revision, for its configuration is of that one. `None`: there
    /// is nothing to give.
    pub fn derive(&self) -> Option<SharedSnapshot> {
        let (base, newest) = (&self.base, &self.newest);
        let faulted: BTreeSet<&RecordKey> =
            self.refusals.iter().flat_map(Refusal::faulted).collect();
        let delta: Vec<Change> = base
            .records()
            .delta_to(newest.records())
            .into_iter()
            .filter(|change| is_given(change.key(), base, newest))
            .filter(|change| !matches!(change, Change::Put(put) if faulted.contains(&put.key)))
            .collect();
        if base.records().with(&delta).root() == self.running.root {
            // The node runs just this. With fewer endpoints it would only lose some.
            return None;
        }
        self.after(&delta).or_else(|| {
            // New endpoints may be beyond the node's limits; removals and weights never are.
            let known = |change: &Change| base.records().get(change.key()).is_some();
            let (fewer, beyond): (Vec<Change>, Vec<Change>) = delta.into_iter().partition(known);
            // With nothing left out the same would come of it.
            (!beyond.is_empty()).then(|| self.after(&fewer))?
        })
    }

    fn after(&self, delta: &[Change]) -> Option<SharedSnapshot> {
        let newest = self.newest.version();
        let version = Version {
            sequence: newest.sequence,
            operational: newest.operational,
            ..self.running
        };
        let (derived, _) = self.base.changed_by(version, delta, &self.limits).ok()?;
        let gives = derived.version().root != self.running.root
            && !self.refusals.blocks(&derived, &self.limits);
        gives.then(|| Arc::new(derived))
    }
}

/// Whether a node that refuses the newest is given this of it: all that documents do not say, but for the endpoints of pools that exist on one
/// side alone. Those that go along with their pool go because of the configuration, which this node does not take.
fn is_given(key: &RecordKey, base: &Snapshot, newest: &Snapshot) -> bool {
    let exists = |pool: &PoolName| {
        let has = |snapshot: &Snapshot| snapshot.resources().pools().contains(pool);
        has(base) && has(newest)
    };
    let pool = key.endpoint().map(|(pool, _)| pool.parse());
    !key.kind.is_authored() && pool.is_none_or(|pool| pool.is_ok_and(|pool| exists(&pool)))
}
