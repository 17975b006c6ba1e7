//! Derivation: the update for a node that refuses the newest configuration. It contains the endpoints and everything else that documents do
//! not define.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::hash::Digest;
use aralez_proto::model::PoolName;
use aralez_proto::record::{Change, RecordKey};
use aralez_proto::snapshot::{Limits, SharedSnapshot, Snapshot};
use aralez_proto::version::Version;

use super::Refusal;
use super::refusals::Refusals;

/// The inputs of the update for a node that refuses the newest view: the base (what the node runs, or the view of its revision), the newest
/// view, and the node's refusals and limits.
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
        // `sequence` and `operational` are those of the newest view. An absent limit equals the highest one.
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

    /// Returns the key. Derivations with equal keys have equal results.
    pub const fn key(&self) -> Digest {
        self.key
    }

    /// Computes the derived snapshot, at the cost of the difference between the views. It keeps the node's revision, to which its
    /// configuration belongs. Returns `None` if there is nothing to send.
    pub fn derive(&self) -> Option<SharedSnapshot> {
        let (base, newest) = (&self.base, &self.newest);
        let faulted: BTreeSet<&RecordKey> =
            self.refusals.iter().flat_map(Refusal::faulted).collect();
        let delta: Vec<Change> = base
            .records()
            .delta_to(newest.records())
            .into_iter()
            .filter(|change| applies_to_refusing_node(change.key(), base, newest))
            .filter(|change| !matches!(change, Change::Put(put) if faulted.contains(&put.key)))
            .collect();
        if base.records().with(&delta).root() == self.running.root {
            // The node already runs this. The fallback below could only remove endpoints.
            return None;
        }
        self.after(&delta).or_else(|| {
            // New endpoints may exceed the node's limits; removals and changed weights cannot.
            let known = |change: &Change| base.records().get(change.key()).is_some();
            let (fewer, beyond): (Vec<Change>, Vec<Change>) = delta.into_iter().partition(known);
            // If nothing was left out, the result would be the same.
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

/// Reports whether a node that refuses the newest view receives this change of it: everything that documents do not define, except
/// endpoints of pools that exist on one side only. Those change together with their pool, which belongs to the configuration that this node
/// does not apply.
fn applies_to_refusing_node(key: &RecordKey, base: &Snapshot, newest: &Snapshot) -> bool {
    let exists = |pool: &PoolName| {
        let has = |snapshot: &Snapshot| snapshot.resources().pools().contains(pool);
        has(base) && has(newest)
    };
    let pool = key.endpoint().map(|(pool, _)| pool.parse());
    !key.kind.is_authored() && pool.is_none_or(|pool| pool.is_ok_and(|pool| exists(&pool)))
}
