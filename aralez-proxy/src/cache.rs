//! The cache on disk: the last accepted snapshots of this proxy and how its boots ended (design section 8).
//!
//! A folder holds the last three accepted snapshots and the newest that has proved good, the key that seals them, and the marks. Files
//! are written whole or not at all, checked wholly when read, and what is damaged is set aside under its name with `.corrupt`.
//! It does not decide what runs: that is the stream's business, and the rule about boots is in [`crate::core::trial`].

mod file;
mod folder;
mod marks;

use std::path::PathBuf;

use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::seal::SealKey;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_runtime::{clock, private, random};
use tracing::{info, warn};

use crate::core::memory::{Memory, NotKept, Remembered};
use crate::core::subscription::Refusal;
use crate::core::trial::Marks;
use file::{Header, ReadError};
use folder::{Entry, Folder};

#[cfg(test)]
mod tests;

/// The file of the key that seals.
const KEY_FILE: &str = "seal.key";

/// The cache of one proxy, in one folder.
#[derive(Debug)]
pub struct Cache {
    folder: Folder,
    writer: String,
    key: Option<SealKey>,
    marks: Marks,
    marks_changed: bool,
}

impl Cache {
    /// The cache in this folder; `writer` is this release. Touches nothing yet.
    pub fn new(folder: PathBuf, writer: String) -> Self {
        Self {
            folder: Folder::new(folder),
            writer,
            key: None,
            marks: Marks::default(),
            marks_changed: false,
        }
    }

    /// The key, made at the first need. Tried again each time until it is there.
    fn key(&mut self) -> Result<SealKey, NotKept> {
        if let Some(key) = &self.key {
            return Ok(key.clone());
        }
        private::ensure_dir(self.folder.path())
            .map_err(|error| NotKept(format!("{}: {error}", self.folder.path().display())))?;
        let path = self.folder.path().join(KEY_FILE);
        let key = private::load_or_create_key(&path).map_err(|error| NotKept(error.to_string()))?;
        self.key = Some(key.clone());
        Ok(key)
    }

    fn read_marks(&mut self, troubles: &mut Vec<String>) {
        match self.folder.read_marks() {
            Ok(marks) => self.marks = marks,
            Err(trouble) => troubles.push(trouble),
        }
    }

    /// The newest file that may serve. Suspects only serve where nothing else can: a proxy that might fall is better than none.
    fn newest(&mut self, key: &SealKey, limits: &Limits, found: &mut Remembered) {
        let suspects: Vec<Digest> = self.marks.suspects().collect();
        let entries = self
            .folder
            .list(limits, &self.marks.cluster, &mut found.troubles);
        let (last_resort, plain): (Vec<Entry>, Vec<Entry>) = entries
            .into_iter()
            .partition(|entry| suspects.contains(&entry.header.version.root));
        for entry in plain.iter().chain(&last_resort) {
            match self.folder.read(entry, key, limits) {
                Ok(snapshot) => {
                    self.adopt(&entry.header, snapshot, found);
                    break;
                }
                Err(ReadError::Refused(faults)) => {
                    found
                        .troubles
                        .push(format!("{}: {}", entry.name, faults.brief()));
                    let root = entry.header.version.root;
                    found.refused.push(Refusal {
                        root,
                        faults: faults.into_vec(),
                    });
                }
                Err(error) => self
                    .folder
                    .set_aside(&entry.name, &error, &mut found.troubles),
            }
        }
        let running = found
            .snapshot
            .as_ref()
            .map(|snapshot| snapshot.version().root);
        for root in suspects {
            if Some(root) == running {
                found.troubles.push(format!("{} ended this proxy twice soon after its start, and nothing else is there to serve", root.short()));
            } else {
                let reason = "ended this proxy twice within a minute of its start";
                let fault = Fault::whole(FaultCode::Suspect, "", reason);
                found.refused.push(Refusal {
                    root,
                    faults: vec![fault],
                });
            }
        }
    }

    fn adopt(&mut self, header: &Header, snapshot: Snapshot, found: &mut Remembered) {
        info!(version = %snapshot.version(), "found a snapshot in the cache");
        if self.marks.cluster.is_empty() {
            self.pin(&header.cluster);
        }
        found.snapshot = Some(snapshot);
    }
}

impl Memory for Cache {
    fn boot(&mut self, limits: &Limits) -> Remembered {
        let mut found = Remembered::default();
        let key = self.key();
        self.folder.sweep();
        self.read_marks(&mut found.troubles);
        found.replaces_boot_id = self.marks.boot_id.clone();
        found.boot_id = random::bytes::<16>().to_vec();
        self.marks.boot(found.boot_id.clone());
        self.marks_changed = true;
        match key {
            Ok(key) => self.newest(&key, limits, &mut found),
            Err(NotKept(trouble)) => found.troubles.push(trouble),
        }
        found.cluster = self.marks.cluster.clone();
        for trouble in &found.troubles {
            warn!("cache: {trouble}");
        }
        found
    }

    fn pin(&mut self, cluster: &[u8]) {
        self.marks.cluster = cluster.to_vec();
        self.marks_changed = true;
    }

    fn swap(&mut self, root: Digest) {
        let before = self.marks.clone();
        self.marks.swap(root);
        self.marks_changed |= before != self.marks;
    }

    fn proved(&mut self, root: Digest) {
        self.marks.proved(root);
        self.marks_changed = true;
    }

    fn clean_exit(&mut self) {
        self.marks.clean_exit();
        self.marks_changed = true;
    }

    fn note_marks(&mut self) -> Result<(), NotKept> {
        if self.marks_changed {
            self.folder.note_marks(&self.marks)?;
        }
        Ok(())
    }

    fn save_marks(&mut self) -> Result<(), NotKept> {
        if self.marks_changed {
            self.folder.write_marks(&self.marks)?;
            self.marks_changed = false;
        }
        Ok(())
    }

    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), NotKept> {
        let key = self.key()?;
        let header = Header {
            cluster: self.marks.cluster.clone(),
            version: snapshot.version(),
            written_unix_ms: self.folder.next_stamp(clock::unix_ms()),
            writer: self.writer.clone(),
        };
        let content = file::encode(&header, snapshot.records(), &key, random::bytes())
            .map_err(|error| NotKept(error.to_string()))?;
        self.folder.write(header, &content)?;
        self.folder.prune(&self.marks);
        Ok(())
    }
}
