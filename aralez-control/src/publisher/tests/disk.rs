//! A store and a main document in memory, which outlive the publisher that uses them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex as Lock, MutexGuard};
use std::time::Duration;

use aralez_proto::document::{DocumentFault, DocumentSet, NamedFiles, Surroundings};
use aralez_proto::model::RelativePath;
use aralez_proto::record::Change;
use bytes::Bytes;

use crate::core::checkpoint::Checkpoint;
use crate::core::fleet::SharedFleet;
use crate::core::hold::HOLD;
use crate::core::layers::{Discovered, Operational};
use crate::core::roster::KnownNode;
use crate::core::store::{
    Backup, ClusterId, FilesOnDisk, FilesRead, MainFile, NewRevision, NodeChanges, PendingSave,
    Revision, RevisionInfo, Store, StoreError,
};
use crate::publisher::{Publisher, PublisherParts, SETTLING};

/// State of a store and a folder that survives restarts.
#[derive(Clone, Default)]
pub(super) struct Disk(pub(super) Arc<Lock<Kept>>);

#[derive(Default)]
pub(super) struct Kept {
    pub(super) revisions: Vec<Revision>,
    pub(super) files: Option<FilesRead>,
    pub(super) saving: Option<PendingSave>,
    pub(super) saved: Option<Bytes>,
    /// Number of generations begun after the first.
    pub(super) raised: u64,
    pub(super) settled: bool,
    /// Fails writes of the ledger.
    full: bool,
    /// Fails writes of the main document's file.
    pub(super) file_is_stuck: bool,
    /// Makes the next commit durable but report an unknown outcome.
    pub(super) unsure: bool,
    pub(super) operational: Operational,
    /// The checkpoint written last, and the number of writes.
    pub(super) checkpoint: (Discovered, usize),
    /// Result of reading the files for `sources take`; `None` if unset.
    pub(super) on_disk: Option<Result<DocumentSet, Vec<DocumentFault>>>,
    /// The files that documents may name.
    pub(super) named: BTreeMap<String, Bytes>,
}

impl Store for Disk {
    fn cluster_id(&self) -> ClusterId {
        [7; 16]
    }

    fn generation(&self) -> u64 {
        7 + self.0.lock().unwrap().raised
    }

    fn head(&self) -> Result<Option<RevisionInfo>, StoreError> {
        let kept = self.0.lock().unwrap();
        Ok(kept.revisions.last().map(|revision| revision.info.clone()))
    }

    fn read(&self, revision: u64) -> Result<Option<Revision>, StoreError> {
        let kept = self.0.lock().unwrap();
        let mut revisions = kept.revisions.iter();
        Ok(revisions
            .find(|kept| kept.info.revision == revision)
            .cloned())
    }

    fn nodes(&self) -> Result<Vec<KnownNode>, StoreError> {
        Ok(Vec::new())
    }

    fn write_nodes(&mut self, _: &NodeChanges) -> Result<(), StoreError> {
        Ok(())
    }

    fn commit(&mut self, new: NewRevision<'_>) -> Result<RevisionInfo, StoreError> {
        let mut kept = self.0.lock().unwrap();
        let head = kept.revisions.len() as u64;
        if kept.full {
            return Err(StoreError::Failed("no space left".to_owned()));
        }
        if new.parent != head {
            return Err(StoreError::Conflict { head });
        }
        let info = RevisionInfo {
            generation: 7 + kept.raised,
            revision: head + 1,
            unix_ms: new.unix_ms,
            origin: new.origin.clone(),
            message: new.message.to_owned(),
            content_hash: new.documents.content_hash(),
            roots: Some(new.roots.clone()),
        };
        kept.files = new.files.or(kept.files);
        kept.saving = new.saving;
        kept.revisions.push(Revision {
            info: info.clone(),
            documents: new.documents.clone(),
        });
        match std::mem::take(&mut kept.unsure) {
            true => Err(StoreError::Unknown("the disk failed".to_owned())),
            false => Ok(info),
        }
    }

    fn refresh(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn files_read(&self) -> Option<FilesRead> {
        self.0.lock().unwrap().files
    }

    fn remember_files(&mut self, files: FilesRead) -> Result<(), StoreError> {
        self.writable()?.files = Some(files);
        Ok(())
    }

    fn pending_save(&self) -> Option<PendingSave> {
        self.0.lock().unwrap().saving
    }

    fn save_begins(&mut self, saving: PendingSave) -> Result<(), StoreError> {
        self.writable()?.saving = Some(saving);
        Ok(())
    }

    fn save_ended(&mut self, files: Option<FilesRead>) -> Result<(), StoreError> {
        let mut kept = self.writable()?;
        kept.saving = None;
        kept.files = files.or(kept.files);
        Ok(())
    }

    fn is_settled(&self) -> bool {
        self.0.lock().unwrap().settled
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.writable()?.settled = true;
        Ok(())
    }

    fn begin_generation(
        &mut self,
        generation: u64,
        unix_ms: u64,
        message: &str,
    ) -> Result<Option<RevisionInfo>, StoreError> {
        let mut kept = self.writable()?;
        kept.raised = generation - 7;
        let Some(head) = kept.revisions.last().cloned() else {
            return Ok(None);
        };
        let info = RevisionInfo {
            generation,
            revision: head.info.revision + 1,
            unix_ms,
            message: message.to_owned(),
            ..head.info
        };
        kept.revisions.push(Revision {
            info: info.clone(),
            ..head
        });
        Ok(Some(info))
    }

    fn operational(&self) -> Result<Operational, StoreError> {
        Ok(self.0.lock().unwrap().operational.clone())
    }

    fn write_operational(&mut self, _: &[Change], next: &Operational) -> Result<(), StoreError> {
        let mut kept = self.writable()?;
        kept.operational = next.clone();
        match std::mem::take(&mut kept.unsure) {
            true => Err(StoreError::Unknown("the disk failed".to_owned())),
            false => Ok(()),
        }
    }

    fn backup(&mut self) -> Result<Backup, StoreError> {
        Err(StoreError::Failed("there is nothing to copy".to_owned()))
    }
}

impl Checkpoint for Disk {
    fn read(&mut self) -> Discovered {
        self.0.lock().unwrap().checkpoint.0.clone()
    }

    fn write(&mut self, discovered: &Discovered) -> Result<(), String> {
        let mut kept = self.writable().map_err(|error| error.to_string())?;
        kept.checkpoint.0 = discovered.clone();
        kept.checkpoint.1 += 1;
        Ok(())
    }
}

impl MainFile for Disk {
    fn save(&self, text: &[u8]) -> Result<(), String> {
        let mut kept = self.0.lock().unwrap();
        if kept.file_is_stuck {
            return Err("upstreams.yaml: no space left".to_owned());
        }
        kept.saved = Some(Bytes::copy_from_slice(text));
        Ok(())
    }

    fn text(&self) -> Option<Vec<u8>> {
        let saved = self.0.lock().unwrap().saved.clone();
        saved.map(|text| text.to_vec())
    }
}

impl FilesOnDisk for Disk {
    fn read(&self) -> Result<DocumentSet, Vec<DocumentFault>> {
        let kept = self.0.lock().unwrap();
        kept.on_disk
            .clone()
            .unwrap_or_else(|| Ok(DocumentSet::default()))
    }

    fn named(&self, paths: &BTreeSet<RelativePath>) -> NamedFiles {
        let kept = self.0.lock().unwrap();
        NamedFiles::collect(paths, |path| {
            let content = kept.named.get(path.as_str()).cloned();
            content.ok_or_else(|| "does not exist".into())
        })
    }
}

impl Disk {
    fn read_checkpoint(mut self) -> Discovered {
        Checkpoint::read(&mut self)
    }

    fn writable(&self) -> Result<MutexGuard<'_, Kept>, StoreError> {
        let kept = self.0.lock().unwrap();
        match kept.full {
            true => Err(StoreError::Failed("no space left".to_owned())),
            false => Ok(kept),
        }
    }

    pub(super) fn open(&self) -> Publisher {
        self.open_with(Surroundings::default())
    }

    pub(super) fn open_with(&self, surroundings: Surroundings) -> Publisher {
        self.open_holding(surroundings, HOLD)
    }

    pub(super) fn open_holding(&self, surroundings: Surroundings, hold: Duration) -> Publisher {
        self.open_as(|parts| {
            parts.surroundings = surroundings;
            parts.hold = hold;
        })
    }

    pub(super) fn open_telling(&self, fleet: SharedFleet) -> Publisher {
        self.open_as(|parts| parts.heads = Arc::new(fleet))
    }

    pub(super) fn open_as(&self, change: impl FnOnce(&mut PublisherParts)) -> Publisher {
        let mut parts = PublisherParts {
            store: Box::new(self.clone()),
            main_file: Some(Box::new(self.clone())),
            files: Some(Box::new(self.clone())),
            heads: Arc::new(SharedFleet::default()),
            discovered: self.clone().read_checkpoint(),
            surroundings: Surroundings::default(),
            hold: HOLD,
            settling: SETTLING,
        };
        change(&mut parts);
        Publisher::open(parts).unwrap()
    }

    pub(super) fn fill(&self, full: bool) {
        self.0.lock().unwrap().full = full;
    }
}
