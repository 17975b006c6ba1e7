//! Selects what serves at a start: one of the stored contents with the newest endpoints. Also reports the contents that were refused.

use aralez_proto::content::Content;
use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::hash::Digest;
use aralez_proto::seal::SealKey;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_runtime::threads::TwoThreads;
use tracing::info;

use super::file::{CachePart, ReadError};
use super::folder::Entry;
use super::{Cache, KeptParts};
use crate::core::sync::snapshot_cache::{CachedState, NotCached};
use crate::core::sync::snapshot_parts::{Composed, OtherPart, compose};
use crate::core::sync::subscription::ContentRefusal;
use crate::core::sync::trial::{Marks, TrialState};

impl Cache {
    /// Selects a snapshot to serve. A suspect serves only if nothing else can: a proxy that may crash is better than none.
    pub(super) fn choose(&mut self, key: &SealKey, limits: &Limits, found: &mut CachedState) {
        self.folder.list(limits, &mut found.troubles);
        let entries: Vec<Entry> = self.folder.of_part(CachePart::Authored).cloned().collect();
        let other = self.newest_other(key, limits, &mut found.troubles);
        for entry in in_order(&self.marks, entries) {
            match self.composed(&entry, other.clone(), (key, limits), &mut found.troubles) {
                Ok(composed) => match verified(composed, limits) {
                    Ok((snapshot, kept)) => {
                        self.adopt(&entry, &snapshot, kept);
                        found.snapshot = Some(snapshot);
                        break;
                    }
                    Err((version, faults)) => refuse(&entry, version, faults, found),
                },
                Err(error) => self
                    .folder
                    .deal_with(&entry.name, error, &mut found.troubles),
            }
        }
        tell_suspects(&self.marks, found);
    }

    /// Returns the newest intact other part. Damaged ones are set aside.
    fn newest_other(
        &mut self,
        key: &SealKey,
        limits: &Limits,
        troubles: &mut Vec<String>,
    ) -> Option<OtherPart> {
        loop {
            let entry = self.folder.of_part(CachePart::Other).next().cloned()?;
            let wanted = (key, limits, self.marks.cluster.as_slice());
            match self.folder.read(&entry, wanted, troubles) {
                Ok((header, body)) => {
                    return Some(OtherPart {
                        version: header.version,
                        records: body.records,
                        left: body.left,
                    });
                }
                Err(error) => self.folder.deal_with(&entry.name, error, troubles),
            }
        }
    }

    /// Combines the content of a file with this other part.
    fn composed(
        &mut self,
        entry: &Entry,
        other: Option<OtherPart>,
        (key, limits): (&SealKey, &Limits),
        troubles: &mut Vec<String>,
    ) -> Result<Composed, ReadError> {
        let wanted = (key, limits, self.marks.cluster.as_slice());
        let (header, body) = self.folder.read(entry, wanted, troubles)?;
        Ok(compose((header.version, body.records), other))
    }

    fn adopt(&mut self, entry: &Entry, snapshot: &Snapshot, kept: KeptParts) {
        info!(version = %snapshot.version(), "snapshot loaded from cache");
        if self.marks.cluster.is_empty() {
            self.marks.cluster.clone_from(&entry.header.cluster);
            self.marks_changed = true;
        }
        self.kept = kept;
    }

    /// Returns a suspect content with the newest other part, for its one more try.
    pub(super) fn suspect_snapshot(
        &mut self,
        root: Digest,
        limits: &Limits,
    ) -> Result<Snapshot, NotCached> {
        let key = self.key()?;
        let of_root = |entry: &&Entry| entry.header.part_root == root;
        let entry = self
            .folder
            .of_part(CachePart::Authored)
            .find(of_root)
            .cloned();
        let entry =
            entry.ok_or_else(|| NotCached(format!("{} is not in the cache", root.short())))?;
        let mut troubles = Vec::new();
        let other = self.newest_other(&key, limits, &mut troubles);
        let composed = self
            .composed(&entry, other, (&key, limits), &mut troubles)
            .map_err(|error| NotCached(format!("{} {error}", entry.name)))?;
        let (snapshot, kept) = verified(composed, limits)
            .map_err(|(_, faults)| NotCached(format!("{}: {}", entry.name, faults.brief())))?;
        self.kept = kept;
        Ok(snapshot)
    }
}

/// Builds and verifies the snapshot within these limits. Also returns the parts now known to be on disk.
fn verified(
    composed: Composed,
    limits: &Limits,
) -> Result<(Snapshot, KeptParts), (Version, Faults)> {
    let Composed {
        version,
        records,
        left,
    } = composed;
    let kept = KeptParts {
        records: records.clone(),
        left,
    };
    Snapshot::verified(version, records, limits, &TwoThreads)
        .map(|snapshot| (snapshot, kept))
        .map_err(|faults| (version, faults))
}

/// Refuses a content that is intact and of this cluster, but not acceptable to this node as configured now. The file is not at fault and
/// stays.
fn refuse(entry: &Entry, version: Version, faults: Faults, found: &mut CachedState) {
    found
        .troubles
        .push(format!("{} is refused: {}", entry.name, faults.brief()));
    found.refused.push(ContentRefusal {
        content: Content::at_fault(&version, faults.as_slice()),
        faults: faults.into_vec(),
    });
}

/// Returns the order in which files are tried: newest first. If the newest is a suspect, contents that proved good go before the unproven
/// ones, which may contain the same fault; suspects go last.
fn in_order(marks: &Marks, entries: Vec<Entry>) -> Vec<Entry> {
    let is_suspect = |entry: &Entry| marks.is_suspect(entry.header.part_root);
    let falls_back = entries.first().is_some_and(is_suspect);
    let (last_resort, mut plain): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(is_suspect);
    if falls_back {
        // A stable sort: newest first among the good and among the others.
        plain.sort_by_key(|entry| !marks.is_good(entry.header.part_root));
    }
    plain.extend(last_resort);
    plain
}

fn tell_suspects(marks: &Marks, found: &mut CachedState) {
    let running = found.snapshot.as_ref();
    let running = running.map(|snapshot| snapshot.version().authored_root);
    for (root, state) in marks.suspects() {
        let (code, reason) = match state {
            TrialState::Fatal => (
                FaultCode::Fatal,
                "crashed this proxy again when it was retried",
            ),
            TrialState::Suspect | TrialState::OnTrial => (
                FaultCode::Suspect,
                "crashed this proxy several times in a row within a minute of its start",
            ),
        };
        if Some(root) == running {
            let trouble = format!(
                "{} {reason}; it serves because no other snapshot is available",
                root.short()
            );
            found.troubles.push(trouble);
        }
        found.refused.push(ContentRefusal {
            content: Content::Authored(root),
            faults: vec![Fault::whole(code, "", reason)],
        });
    }
}
