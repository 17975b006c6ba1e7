//! What serves at a start: which of the kept snapshots, and what is told of those that do not.

use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::seal::SealKey;
use aralez_proto::snapshot::{Limits, Snapshot};
use tracing::info;

use super::Cache;
use super::file::ReadError;
use super::folder::Entry;
use crate::core::memory::{NotKept, Remembered};
use crate::core::subscription::Refusal;
use crate::core::trial::{Marks, Standing};

impl Cache {
    /// Finds what may serve. Suspects only serve where nothing else can: a proxy that might fall is better than none.
    pub(super) fn choose(&mut self, key: &SealKey, limits: &Limits, found: &mut Remembered) {
        let entries = self.folder.list(limits, &mut found.troubles);
        for entry in in_order(&self.marks, entries) {
            let wanted = (key, limits, self.marks.cluster.as_slice());
            match self.folder.read(&entry, wanted, &mut found.troubles) {
                Ok(snapshot) => {
                    self.adopt(&entry, snapshot, found);
                    break;
                }
                Err(ReadError::Refused(faults)) => {
                    let trouble = format!("{}: {}", entry.name, faults.brief());
                    found.troubles.push(trouble);
                    found.refused.push(Refusal {
                        root: entry.header.version.root,
                        faults: faults.into_vec(),
                    });
                }
                Err(error) => self
                    .folder
                    .deal_with(&entry.name, error, &mut found.troubles),
            }
        }
        tell_suspects(&self.marks, found);
    }

    fn adopt(&mut self, entry: &Entry, snapshot: Snapshot, found: &mut Remembered) {
        info!(version = %snapshot.version(), "found a snapshot in the cache");
        if self.marks.cluster.is_empty() {
            self.marks.cluster.clone_from(&entry.header.cluster);
            self.marks_changed = true;
        }
        found.snapshot = Some(snapshot);
    }

    /// A suspect snapshot, for its one more try.
    pub(super) fn suspect_snapshot(
        &mut self,
        root: Digest,
        limits: &Limits,
    ) -> Result<Snapshot, NotKept> {
        let key = self.key()?;
        let of_root = |entry: &&Entry| entry.header.version.root == root;
        let entry = self.folder.entries().iter().find(of_root).cloned();
        let entry =
            entry.ok_or_else(|| NotKept(format!("{} is not in the cache", root.short())))?;
        let wanted = (&key, limits, self.marks.cluster.as_slice());
        let mut troubles = Vec::new();
        let read = self.folder.read(&entry, wanted, &mut troubles);
        read.map_err(|error| NotKept(format!("{} {error}", entry.name)))
    }
}

/// The order in which files are tried: newest first. Where the newest are suspect, what has proved good comes before what came shortly before them
/// and may hold the same fault.
fn in_order(marks: &Marks, entries: Vec<Entry>) -> Vec<Entry> {
    let is_suspect = |entry: &Entry| marks.is_suspect(entry.header.version.root);
    let falls_back = entries.first().is_some_and(is_suspect);
    let (last_resort, mut plain): (Vec<Entry>, Vec<Entry>) =
        entries.into_iter().partition(is_suspect);
    if falls_back {
        // Stable: newest first among the good and among the others.
        plain.sort_by_key(|entry| !marks.is_good(entry.header.version.root));
    }
    plain.extend(last_resort);
    plain
}

fn tell_suspects(marks: &Marks, found: &mut Remembered) {
    let running = found.snapshot.as_ref();
    let running = running.map(|snapshot| snapshot.version().root);
    for (root, standing) in marks.suspects() {
        let (code, reason) = match standing {
            Standing::Fatal => (
                FaultCode::Fatal,
                "ended this proxy again when it was tried once more",
            ),
            Standing::Suspect | Standing::OnTrial => (
                FaultCode::Suspect,
                "ended this proxy several times in a row within a minute of its start",
            ),
        };
        if Some(root) == running {
            let trouble = format!(
                "{} {reason}, and nothing else is there to serve",
                root.short()
            );
            found.troubles.push(trouble);
        } else {
            let faults = vec![Fault::whole(code, "", reason)];
            found.refused.push(Refusal { root, faults });
        }
    }
}
