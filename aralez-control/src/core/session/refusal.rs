//! What a node refused, and whether a newer view still holds it.

use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::record::{RecordKey, RecordSet, ResourceType};
use aralez_proto::snapshot::{Limits, Snapshot};

/// One refused content: its root, the faults, and the faulted resources as they were.
#[derive(Clone, Debug)]
pub struct Refusal {
    root: Digest,
    faults: Vec<Fault>,
    /// `None`: control no longer has the refused snapshot, only its root counts.
    content: Option<Content>,
}

#[derive(Clone, Debug)]
struct Content {
    /// The faulted resources with their leaves; no leaf where the fault is that it is missing.
    leaves: Vec<(RecordKey, Option<Digest>)>,
    /// For faults of limits alone, where the limits that the node told allow the content all the same: the keys of the types at fault.
    key_sets: Option<Vec<(ResourceType, Digest)>>,
}

impl Refusal {
    /// The refusal of a snapshot that control has.
    pub(super) fn of(refused: &Snapshot, faults: Vec<Fault>, limits: &Limits) -> Self {
        let records = refused.records();
        let resources = faults.iter().filter_map(|fault| fault.resource.as_ref());
        let leaves = resources
            .clone()
            .map(|key| (key.clone(), leaf(records, key)))
            .collect();
        let key_sets = limits.allow(records, refused.resources()).then(|| {
            resources
                .map(|key| (key.kind, key_set(records, key.kind)))
                .collect()
        });
        Self {
            root: refused.version().root,
            faults,
            content: Some(Content { leaves, key_sets }),
        }
    }

    /// The refusal of a root that control does not have.
    pub(super) const fn of_root(root: Digest, faults: Vec<Fault>) -> Self {
        Self {
            root,
            faults,
            content: None,
        }
    }

    /// The root that was refused.
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// Why.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The resources at fault.
    pub(super) fn faulted(&self) -> impl Iterator<Item = &RecordKey> {
        self.faults
            .iter()
            .filter_map(|fault| fault.resource.as_ref())
    }

    /// Whether a snapshot would be refused for the same reason.
    pub(super) fn blocks(&self, view: &Snapshot, limits: &Limits) -> bool {
        if view.version().root == self.root {
            return true;
        }
        if self.is_about_limits() && !limits.allow(view.records(), view.resources()) {
            return true;
        }
        let Some(content) = &self.content else {
            return false;
        };
        let records = view.records();
        if self.is_about_limits() {
            // The node and its own limits disagree: only another set of keys is worth a try.
            return content.key_sets.as_ref().is_some_and(|sets| {
                !sets.is_empty()
                    && sets
                        .iter()
                        .all(|(kind, set)| key_set(records, *kind) == *set)
            });
        }
        let of_the_whole = self.faults.iter().any(|fault| fault.resource.is_none());
        let unchanged = |(key, before): &(RecordKey, Option<Digest>)| leaf(records, key) == *before;
        !of_the_whole && content.leaves.iter().all(unchanged)
    }

    /// Whether nothing of this snapshot may reach the node, not even its endpoints: it is the refused one, and nobody knows what in it
    /// is at fault.
    pub(super) fn forbids_any_of(&self, view: &Snapshot) -> bool {
        let unknown = |fault: &Fault| fault.resource.is_none() && fault.code != FaultCode::Limit;
        view.version().root == self.root && self.faults.iter().any(unknown)
    }

    /// Whether the node refuses it only because it ended soon after it was applied, and may try it once more.
    pub(super) fn is_suspect(&self) -> bool {
        let suspect = |fault: &Fault| fault.code == FaultCode::Suspect;
        !self.faults.is_empty() && self.faults.iter().all(suspect)
    }

    fn is_about_limits(&self) -> bool {
        !self.faults.is_empty()
            && self
                .faults
                .iter()
                .all(|fault| fault.code == FaultCode::Limit)
    }
}

fn leaf(records: &RecordSet, key: &RecordKey) -> Option<Digest> {
    Some(records.get(key)?.leaf())
}

/// The keys of one type as one hash. Records come by bucket and then by key, so equal sets give equal hashes.
fn key_set(records: &RecordSet, kind: ResourceType) -> Digest {
    let names: Vec<&[u8]> = records
        .iter()
        .filter(|record| record.key.kind == kind)
        .map(|record| record.key.name.as_bytes())
        .collect();
    Digest::of_fields(&names)
}
