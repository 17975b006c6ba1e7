//! A proxy's disk in memory: keeps values by the rules of the snapshot cache, so that a run needs no files.

use parking_lot::{Mutex, MutexGuard};
use std::cmp::Reverse;
use std::sync::Arc;

use aralez_proto::content::Content;
use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::hash::Digest;
use aralez_proto::record::RecordSet;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_proxy::core::sync::snapshot_cache::{CachedState, NotCached, SnapshotCache};
use aralez_proxy::core::sync::snapshot_parts::{OtherPart, compose, orphans_after};
use aralez_proxy::core::sync::subscription::ContentRefusal;
use aralez_proxy::core::sync::trial::{Boot, LastExit, Marks, TrialState};

/// Number of newest plain files to keep, and of newest suspect files; the newest good file is kept in addition.
const KEPT: usize = 3;

/// A cache file with the authored records.
#[derive(Clone, Debug)]
pub struct File {
    /// The version that it was written for.
    pub version: Version,
    /// The records.
    pub records: RecordSet,
    /// Time of writing by the wall clock, raised above the stamps of all other files.
    pub stamp: u64,
    /// The cluster that the records came from.
    pub cluster: Vec<u8>,
    /// The file cannot be read.
    pub damaged: bool,
}

/// The content of a disk.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The files with authored records, newest first.
    pub files: Vec<File>,
    /// The newest records that do not come from documents.
    pub other: OtherPart,
    /// The complete record set of the last write.
    written: RecordSet,
    /// The marks as last written. `None` if there are none or they cannot be read.
    pub marks: Option<Marks>,
    /// The wall clock, in milliseconds.
    pub wall: u64,
    /// Every write fails.
    pub is_full: bool,
    /// The exit of the previous process, as seen by its supervisor.
    pub last_exit: LastExit,
    boots: u64,
}

impl State {
    /// Writes the other part, and a file if the authored root changed; drops files that are too old.
    pub fn write(&mut self, version: Version, records: &RecordSet, marks: &Marks) {
        let left = orphans_after(
            std::mem::take(&mut self.other.left),
            &self.written,
            records,
            version,
        );
        self.written = records.clone();
        self.other = OtherPart {
            version,
            records: records.other().cloned().collect(),
            left,
        };
        let newest = self.files.first().filter(|file| !file.damaged);
        if newest.is_none_or(|newest| newest.version.authored_root != version.authored_root) {
            self.write_documents(version, records, marks);
        }
    }

    fn write_documents(&mut self, version: Version, records: &RecordSet, marks: &Marks) {
        let latest = self.files.iter().map(|file| file.stamp + 1).max();
        let file = File {
            version,
            records: records.authored().cloned().collect(),
            stamp: self.wall.max(latest.unwrap_or(0)),
            cluster: marks.cluster.clone(),
            damaged: false,
        };
        let root = |file: &File| file.version.authored_root;
        self.files.retain(|other| root(other) != root(&file));
        self.files.push(file);
        self.files.sort_by_key(|file| {
            Reverse((file.version.generation, file.version.revision, file.stamp))
        });
        let good = |file: &File| marks.is_good(root(file));
        let good = self.files.iter().position(good);
        let (mut position, mut plain, mut suspect) = (0, 0, 0);
        self.files.retain(|file| {
            let of_its_kind = if marks.is_suspect(root(file)) {
                &mut suspect
            } else {
                &mut plain
            };
            *of_its_kind += 1;
            position += 1;
            *of_its_kind <= KEPT || Some(position - 1) == good
        });
    }

    /// Composes the snapshot that a start builds from `file` and the other part.
    pub fn composed(&self, file: &File, limits: &Limits) -> Result<Snapshot, (Version, Faults)> {
        let documents = (file.version, file.records.clone());
        let composed = compose(documents, Some(self.other.clone()));
        Snapshot::complete(composed.version, composed.records, limits)
            .map_err(|faults| (composed.version, faults))
    }
}

/// A disk. It outlives the processes that use it.
#[derive(Clone, Debug, Default)]
pub struct ModelDisk(Arc<Mutex<State>>);

impl ModelDisk {
    /// Locks and returns the content.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }

    /// Creates the cache of a new process on this disk.
    pub fn memory(&self) -> Box<dyn SnapshotCache> {
        Box::new(Kept {
            disk: self.clone(),
            marks: Marks::default(),
            changed: false,
        })
    }
}

#[derive(Debug)]
struct Kept {
    disk: ModelDisk,
    marks: Marks,
    changed: bool,
}

impl Kept {
    fn newest(&mut self, limits: &Limits, found: &mut CachedState) {
        let told: Vec<(Digest, TrialState)> = self.marks.suspects().collect();
        let suspects: Vec<Digest> = told.iter().map(|(root, _)| *root).collect();
        let mut state = self.disk.state();
        state.files.retain(|file| {
            !file.damaged && (self.marks.cluster.is_empty() || file.cluster == self.marks.cluster)
        });
        let is_suspect = |file: &&File| suspects.contains(&file.version.authored_root);
        let plain = state.files.iter().filter(|file| !is_suspect(file));
        let last_resort = state.files.iter().filter(is_suspect);
        for file in plain.chain(last_resort) {
            match state.composed(file, limits) {
                Ok(snapshot) => {
                    if self.marks.cluster.is_empty() {
                        self.marks.cluster.clone_from(&file.cluster);
                    }
                    found.snapshot = Some(snapshot);
                    break;
                }
                Err((version, faults)) => found.refused.push(ContentRefusal {
                    content: Content::at_fault(&version, faults.as_slice()),
                    faults: faults.into_vec(),
                }),
            }
        }
        for (root, state) in told {
            let code = match state {
                TrialState::Fatal => FaultCode::Fatal,
                TrialState::Suspect | TrialState::OnTrial => FaultCode::Suspect,
            };
            let fault = Fault::whole(code, "", "crashed this proxy several times");
            found.refused.push(ContentRefusal {
                content: Content::Authored(root),
                faults: vec![fault],
            });
        }
    }
}

impl SnapshotCache for Kept {
    fn boot(&mut self, limits: &Limits) -> CachedState {
        let mut found = CachedState::default();
        let (boot, before) = {
            let mut state = self.disk.state();
            state.boots += 1;
            self.marks = state.marks.clone().unwrap_or_default();
            (state.boots, std::mem::take(&mut state.last_exit))
        };
        found.replaces_boot_id.clone_from(&self.marks.boot_id);
        found.boot_id = boot.to_le_bytes().to_vec();
        self.marks.boot(Boot {
            boot_id: found.boot_id.clone(),
            machine: String::new(),
            before,
        });
        self.changed = true;
        self.newest(limits, &mut found);
        found.cluster.clone_from(&self.marks.cluster);
        found
    }

    fn pin(&mut self, cluster: &[u8]) {
        self.marks.cluster = cluster.to_vec();
        self.changed = true;
    }

    fn swap(&mut self, root: Digest) {
        self.marks.swap(root);
        self.changed = true;
    }

    fn proved(&mut self, root: Digest) {
        self.marks.proved(root);
        self.changed = true;
    }

    fn clean_exit(&mut self) {
        self.marks.clean_exit();
        self.changed = true;
    }

    fn save_marks(&mut self) -> Result<(), NotCached> {
        let mut state = self.disk.state();
        if state.is_full {
            return Err(NotCached("the disk is full".to_owned()));
        }
        if self.changed {
            state.marks = Some(self.marks.clone());
            self.changed = false;
        }
        Ok(())
    }

    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), NotCached> {
        let mut state = self.disk.state();
        if state.is_full {
            return Err(NotCached("the disk is full".to_owned()));
        }
        state.write(snapshot.version(), snapshot.records(), &self.marks);
        Ok(())
    }
}
