//! A store and a main document in memory, which outlive the publisher that uses them.

use std::sync::{Arc, Mutex as Lock};
use std::time::Duration;

use aralez_proto::document::{DocumentFault, DocumentSet, Rules};
use bytes::Bytes;

use crate::core::hold::HOLD;
use crate::core::store::{
    ClusterId, FilesOnDisk, FilesRead, MainFile, NewRevision, Revision, RevisionInfo, Store,
    StoreError,
};
use crate::publisher::{Parts, Publisher};

/// What a store and a folder keep over restarts.
#[derive(Clone, Default)]
pub(super) struct Disk(pub(super) Arc<Lock<Kept>>);

pub(super) struct Kept {
    revisions: Vec<Revision>,
    files: Option<FilesRead>,
    pub(super) saved: Option<Bytes>,
    full: bool,
    pub(super) on_disk: Result<DocumentSet, Vec<DocumentFault>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            revisions: Vec::new(),
            files: None,
            saved: None,
            full: false,
            on_disk: Ok(DocumentSet::default()),
        }
    }
}

impl Store for Disk {
    fn cluster_id(&self) -> ClusterId {
        [7; 16]
    }

    fn generation(&self) -> u64 {
        7
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
            generation: 7,
            revision: head + 1,
            unix_ms: new.unix_ms,
            origin: new.origin,
            message: new.message.to_owned(),
            content_hash: new.documents.content_hash(),
        };
        kept.files = new.files.or(kept.files);
        kept.revisions.push(Revision {
            info: info.clone(),
            documents: new.documents.clone(),
        });
        Ok(info)
    }

    fn files_read(&self) -> Result<Option<FilesRead>, StoreError> {
        Ok(self.0.lock().unwrap().files)
    }

    fn remember_files(&mut self, files: FilesRead) -> Result<(), StoreError> {
        self.0.lock().unwrap().files = Some(files);
        Ok(())
    }
}

impl MainFile for Disk {
    fn save(&self, text: &[u8]) -> Result<(), String> {
        let mut kept = self.0.lock().unwrap();
        if kept.full {
            return Err("upstreams.yaml: no space left".to_owned());
        }
        kept.saved = Some(Bytes::copy_from_slice(text));
        Ok(())
    }
}

impl FilesOnDisk for Disk {
    fn read(&self) -> Result<DocumentSet, Vec<DocumentFault>> {
        let kept = self.0.lock().unwrap();
        kept.on_disk.clone()
    }
}

impl Disk {
    pub(super) fn open(&self) -> Publisher {
        self.open_with(Rules::default())
    }

    pub(super) fn open_with(&self, rules: Rules) -> Publisher {
        self.open_holding(rules, HOLD)
    }

    pub(super) fn open_holding(&self, rules: Rules, hold: Duration) -> Publisher {
        let parts = Parts {
            store: Box::new(self.clone()),
            main_file: Some(Box::new(self.clone())),
            files: Some(Box::new(self.clone())),
            rules,
            hold,
        };
        Publisher::open(parts).unwrap()
    }

    pub(super) fn fill(&self, full: bool) {
        self.0.lock().unwrap().full = full;
    }
}
