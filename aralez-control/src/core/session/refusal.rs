//! A content that a node refused, and the check whether a newer view still contains the reason.

use std::collections::BTreeSet;
use std::sync::Arc;

use aralez_proto::content::Content;
use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::record::{RecordKey, RecordSet, ResourceType};
use aralez_proto::snapshot::{Limits, Snapshot};

/// One refused content: its identity, the faults, and the faulted resources as they were.
#[derive(Clone, Debug)]
pub struct Refusal {
    content: Content,
    faults: Arc<[Fault]>,
    /// Equal for nodes that refused the same content for the same reasons.
    mark: Digest,
    /// `None` if control no longer has the refused snapshot: then only its root counts.
    at_fault: Option<AtFault>,
}

/// The faulted part of a refused snapshot.
#[derive(Clone, Debug)]
struct AtFault {
    /// The faulted resources with their leaves; no leaf if the fault is that the resource is missing.
    leaves: Vec<(RecordKey, Option<Digest>)>,
    /// The key sets of the faulted types. Present only if all faults are about limits although the limits that the node reported allow the
    /// content.
    key_sets: Option<Vec<(ResourceType, Digest)>>,
}

impl Refusal {
    /// Creates the refusal of a snapshot that control has.
    pub(super) fn of(refused: &Snapshot, faults: impl Into<Arc<[Fault]>>, limits: &Limits) -> Self {
        let faults = faults.into();
        let records = refused.records();
        let resources = || faults.iter().filter_map(|fault| fault.resource.as_ref());
        let leaves = resources()
            .map(|key| (key.clone(), leaf(records, key)))
            .collect();
        // Computed only if needed: it scans every record.
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

    /// Creates the refusal of a content that control does not have.
    pub(super) fn of_unknown(content: Content, faults: impl Into<Arc<[Fault]>>) -> Self {
        Self::new(content, faults.into(), None)
    }

    fn new(content: Content, faults: Arc<[Fault]>, at_fault: Option<AtFault>) -> Self {
        // The root determines the records, so root and faults determine everything that is compared.
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
        // Independent of the order in which the node found them.
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

    /// Returns the mark. Refusals with equal marks block the same views.
    pub(super) const fn mark(&self) -> Digest {
        self.mark
    }

    /// Returns the refused content.
    pub const fn content(&self) -> Content {
        self.content
    }

    /// Returns the faults.
    pub const fn faults(&self) -> &Arc<[Fault]> {
        &self.faults
    }

    /// Returns the faulted resources.
    pub(super) fn faulted(&self) -> impl Iterator<Item = &RecordKey> {
        self.faults
            .iter()
            .filter_map(|fault| fault.resource.as_ref())
    }

    /// Reports whether a snapshot would be refused for the same reason.
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
            // The node refused what its reported limits allow: only another set of keys is worth a try.
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

    /// Reports whether nothing of this snapshot may reach the node, not even its endpoints: it is the refused one, and which resource is at
    /// fault is unknown. If the fault is in the authored part, endpoint updates continue.
    pub(super) fn forbids_any_of(&self, view: &Snapshot) -> bool {
        let unknown = |fault: &Fault| fault.resource.is_none() && fault.code != FaultCode::Limit;
        let whole = matches!(self.content, Content::Whole(root) if root == view.version().root);
        whole && self.faults.iter().any(unknown)
    }

    /// Reports whether the node refuses it only because the proxy exited soon after applying it, and may try it once more.
    pub(super) fn is_suspect(&self) -> bool {
        let suspect = |fault: &Fault| fault.code == FaultCode::Suspect;
        !self.faults.is_empty() && self.faults.iter().all(suspect)
    }

    fn is_about_limits(&self) -> bool {
        are_about_limits(&self.faults)
    }
}

/// Returns the parts of a fault that are compared: its code and its resource.
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

/// Hashes the keys of one type. Records are ordered by bucket and then by key, so equal sets have equal hashes.
fn key_set(records: &RecordSet, kind: ResourceType) -> Digest {
    let names: Vec<&[u8]> = records
        .iter()
        .filter(|record| record.key.kind == kind)
        .map(|record| record.key.name.as_bytes())
        .collect();
    Digest::of_fields(&names)
}
