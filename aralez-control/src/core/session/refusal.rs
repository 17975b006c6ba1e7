//! What a node refused, and whether a newer view still holds it.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::record::{RecordKey, RecordSet, ResourceType};
use aralez_proto::snapshot::{Limits, Snapshot};

/// One refused content: its root, the faults, and the faulted resources as they were.
#[derive(Clone, Debug)]
pub struct Refusal {
    root: Digest,
    faults: Arc<[Fault]>,
    /// Nodes that refused the same for the same reasons have the same mark.
    mark: Digest,
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
    pub(super) fn of(refused: &Snapshot, faults: impl Into<Arc<[Fault]>>, limits: &Limits) -> Self {
        let faults = faults.into();
        let records = refused.records();
        let resources = || faults.iter().filter_map(|fault| fault.resource.as_ref());
        let leaves = resources()
            .map(|key| (key.clone(), leaf(records, key)))
            .collect();
        // Looks at every record, so only where it is needed.
        let disagrees = are_about_limits(&faults) && limits.allow(records, refused.resources());
        let key_sets = disagrees.then(|| {
            let kinds: BTreeSet<ResourceType> = resources().map(|key| key.kind).collect();
            let set_of = |kind| (kind, key_set(records, kind));
            kinds.into_iter().map(set_of).collect()
        });
        let content = Some(Content { leaves, key_sets });
        Self::new(refused.version().root, faults, content)
    }

    /// The refusal of a root that control does not have.
    pub(super) fn of_root(root: Digest, faults: impl Into<Arc<[Fault]>>) -> Self {
        Self::new(root, faults.into(), None)
    }

    fn new(root: Digest, faults: Arc<[Fault]>, content: Option<Content>) -> Self {
        // The root says what was in it, so with the faults it says everything that is compared.
        let known: &[u8] = match &content {
            None => b"root",
            Some(content) if content.key_sets.is_none() => b"records",
            Some(_) => b"keys",
        };
        let mut reasons: Vec<[&[u8]; 3]> = faults.iter().map(reason).collect();
        // In whichever order the node found them.
        reasons.sort_unstable();
        let fields = [root.as_bytes().as_slice(), known].into_iter();
        let fields: Vec<&[u8]> = fields.chain(reasons.into_iter().flatten()).collect();
        Self {
            root,
            mark: Digest::of_fields(&fields),
            faults,
            content,
        }
    }

    /// What it is about: equal marks block the same views.
    pub(super) const fn mark(&self) -> Digest {
        self.mark
    }

    /// The root that was refused.
    pub const fn root(&self) -> Digest {
        self.root
    }

    /// Why.
    pub const fn faults(&self) -> &Arc<[Fault]> {
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
        are_about_limits(&self.faults)
    }
}

/// What counts of a fault: what it is, and of which resource.
fn reason(fault: &Fault) -> [&[u8]; 3] {
    let resource = fault.resource.as_ref();
    let (kind, name) = resource.map_or(("", ""), |key| (key.kind.name(), &key.name));
    [fault.code.name(), kind, name].map(str::as_bytes)
}

fn are_about_limits(faults: &[Fault]) -> bool {
    let of_limits = |fault: &Fault| fault.code == FaultCode::Limit;
    !faults.is_empty() && faults.iter().all(of_limits)
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
