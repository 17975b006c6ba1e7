//! What a node refused, and whether a newer view still holds it.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::content::Content;
use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::record::{RecordKey, RecordSet, ResourceType};
use aralez_proto::snapshot::{Limits, Snapshot};

/// One refused content: which, the faults, and the faulted resources as they were.
#[derive(Clone, Debug)]
pub struct Refusal {
    content: Content,
    faults: Arc<[Fault]>,
    /// Nodes that refused the same for the same reasons have the same mark.
    mark: Digest,
    /// `None`: control no longer has the refused snapshot, only its root counts.
    at_fault: Option<AtFault>,
}

/// What a refused snapshot held of that which is at fault.
#[derive(Clone, Debug)]
struct AtFault {
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
            let kinds: BTreeSet<ResourceType> = resources()
                .flat_map(|key| key.kind.counted_together())
                .copied()
                .collect();
            let set_of = |kind| (kind, key_set(records, kind));
            kinds.into_iter().map(set_of).collect()
        });
        let content = Content::at_fault(&refused.version(), &faults);
        Self::new(content, faults, Some(AtFault { leaves, key_sets }))
    }

    /// The refusal of a content that control does not have.
    pub(super) fn of_unknown(content: Content, faults: impl Into<Arc<[Fault]>>) -> Self {
        Self::new(content, faults.into(), None)
    }

    fn new(content: Content, faults: Arc<[Fault]>, at_fault: Option<AtFault>) -> Self {
        // The root says what was in it, so with the faults it says everything that is compared.
        let known: &[u8] = match &at_fault {
            None => b"root",
            Some(known) if known.key_sets.is_none() => b"records",
            Some(_) => b"keys",
        };
        let part: &[u8] = match content {
            Content::Authored(_) => b"authored",
            Content::Whole(_) => b"whole",
        };
        let root = content.root();
        let mut reasons: Vec<[&[u8]; 3]> = faults.iter().map(reason).collect();
        // In whichever order the node found them.
        reasons.sort_unstable();
        let fields = [root.as_bytes().as_slice(), part, known].into_iter();
        let fields: Vec<&[u8]> = fields.chain(reasons.into_iter().flatten()).collect();
        Self {
            content,
            mark: Digest::of_fields(&fields),
            faults,
            at_fault,
        }
    }

    /// What it is about: equal marks block the same views.
    pub(super) const fn mark(&self) -> Digest {
        self.mark
    }

    /// The content that was refused.
    pub const fn content(&self) -> Content {
        self.content
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
        if self.content.is_of(&view.version()) {
            return true;
        }
        if self.is_about_limits() && !limits.allow(view.records(), view.resources()) {
            return true;
        }
        let Some(known) = &self.at_fault else {
            return false;
        };
        let records = view.records();
        if self.is_about_limits() {
            // The node and its own limits disagree: only another set of keys is worth a try.
            return known.key_sets.as_ref().is_some_and(|sets| {
                !sets.is_empty()
                    && sets
                        .iter()
                        .all(|(kind, set)| key_set(records, *kind) == *set)
            });
        }
        let of_the_whole = self.faults.iter().any(|fault| fault.resource.is_none());
        let unchanged = |(key, before): &(RecordKey, Option<Digest>)| leaf(records, key) == *before;
        !of_the_whole && known.leaves.iter().all(unchanged)
    }

    /// Whether nothing of this snapshot may reach the node, not even its endpoints: it is the refused one, and nobody knows what in it
    /// is at fault. Where the fault is in what documents say, endpoints go on.
    pub(super) fn forbids_any_of(&self, view: &Snapshot) -> bool {
        let unknown = |fault: &Fault| fault.resource.is_none() && fault.code != FaultCode::Limit;
        let whole = matches!(self.content, Content::Whole(root) if root == view.version().root);
        whole && self.faults.iter().any(unknown)
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
