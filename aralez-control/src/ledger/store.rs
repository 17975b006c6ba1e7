//! The ledger as a [`Store`]: every change is one durable transaction.

use super::entry::SealedEntry;
use super::meta::Meta;
use super::{Ledger, backup, nodes, operational, tables};
use aralez_proto::record::Change;

use crate::core::layers::Operational;
use crate::core::roster::KnownNode;
use crate::core::store::{
    Backup, ClusterId, FilesRead, NewRevision, NodeChanges, PendingSave, Revision, RevisionInfo,
    Store, StoreError,
};

impl Store for Ledger {
    fn cluster_id(&self) -> ClusterId {
        self.meta.cluster_id
    }

    fn generation(&self) -> u64 {
        self.meta.generation
    }

    fn head(&self) -> Result<Option<RevisionInfo>, StoreError> {
        Ok(self.head.clone())
    }

    fn read(&self, revision: u64) -> Result<Option<Revision>, StoreError> {
        let read = |database| tables::revision(database, revision);
        let bytes = self.opened().and_then(read);
        let Some(bytes) = bytes.map_err(|error| self.failed(error))? else {
            return Ok(None);
        };
        let entry = SealedEntry::decode(revision, &bytes).map_err(|error| self.failed(error))?;
        let documents = entry
            .documents(&self.key)
            .map_err(|error| self.failed(error))?;
        Ok(Some(Revision {
            info: entry.info,
            documents,
        }))
    }

    fn nodes(&self) -> Result<Vec<KnownNode>, StoreError> {
        let read = tables::guarded(|| {
            let read = self.opened().and_then(nodes::read);
            read.map_err(|error| error.to_string())
        });
        read.map_err(|reason| self.failed(reason))
    }

    fn write_nodes(&mut self, changes: &NodeChanges) -> Result<(), StoreError> {
        self.refresh()?;
        let written = self
            .opened()
            .and_then(|database| nodes::write(database, changes));
        written.map_err(|error| {
            // The database accepts nothing more until it is reopened, which the next write does.
            tables::give_up(self.database.take());
            self.failed(error)
        })
    }

    fn commit(&mut self, new: NewRevision<'_>) -> Result<RevisionInfo, StoreError> {
        self.refresh()?;
        let head = self.meta.head;
        if new.parent != head {
            return Err(StoreError::Conflict { head });
        }
        let info = RevisionInfo {
            generation: self.meta.generation,
            revision: head + 1,
            unix_ms: new.unix_ms,
            origin: new.origin.clone(),
            message: new.message.to_owned(),
            content_hash: new.documents.content_hash(),
            roots: Some(new.roots.clone()),
        };
        let meta = Meta {
            head: info.revision,
            files: new.files.or(self.meta.files),
            saving: new.saving,
            ..self.meta
        };
        self.write_revision(meta, info, new.documents)
    }

    fn refresh(&mut self) -> Result<(), StoreError> {
        if self.database.is_some() {
            return Ok(());
        }
        let database = tables::open(&self.path()).map_err(|reason| self.failed(reason))?;
        self.reread(database)
    }

    fn files_read(&self) -> Option<FilesRead> {
        self.meta.files
    }

    fn remember_files(&mut self, files: FilesRead) -> Result<(), StoreError> {
        self.refresh()?;
        let files = Some(files);
        self.write(Meta { files, ..self.meta }, None)
    }

    fn pending_save(&self) -> Option<PendingSave> {
        self.meta.saving
    }

    fn save_begins(&mut self, saving: PendingSave) -> Result<(), StoreError> {
        self.refresh()?;
        let saving = Some(saving);
        self.write(
            Meta {
                saving,
                ..self.meta
            },
            None,
        )
    }

    fn save_ended(&mut self, files: Option<FilesRead>) -> Result<(), StoreError> {
        self.refresh()?;
        let meta = Meta {
            files: files.or(self.meta.files),
            saving: None,
            ..self.meta
        };
        self.write(meta, None)
    }

    fn is_settled(&self) -> bool {
        self.meta.settled
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        self.refresh()?;
        let settled = true;
        self.write(
            Meta {
                settled,
                ..self.meta
            },
            None,
        )
    }

    fn begin_generation(
        &mut self,
        generation: u64,
        unix_ms: u64,
        message: &str,
    ) -> Result<Option<RevisionInfo>, StoreError> {
        self.refresh()?;
        if generation <= self.meta.generation {
            return Err(self.failed(format!("generation {generation} is not higher")));
        }
        let meta = Meta {
            generation,
            begun_unix_ms: unix_ms,
            settled: false,
            ..self.meta
        };
        let Some(head) = self.read(self.meta.head)? else {
            self.write(meta, None)?;
            return Ok(None);
        };
        let next = |saving: PendingSave| PendingSave {
            revision: saving.revision + 1,
            ..saving
        };
        let info = RevisionInfo {
            generation,
            revision: head.info.revision + 1,
            unix_ms,
            message: message.to_owned(),
            ..head.info
        };
        let meta = Meta {
            head: info.revision,
            saving: meta.saving.map(next),
            ..meta
        };
        self.write_revision(meta, info, &head.documents).map(Some)
    }

    fn operational(&self) -> Result<Operational, StoreError> {
        Ok(self.operational.clone())
    }

    fn write_operational(
        &mut self,
        changes: &[Change],
        next: &Operational,
    ) -> Result<(), StoreError> {
        self.refresh()?;
        let counter = next.counter();
        let written = self
            .opened()
            .and_then(|database| operational::write(database, changes, counter, &self.key));
        let Err(error) = written else {
            self.operational = next.clone();
            return Ok(());
        };
        tables::give_up(self.database.take());
        match self.refresh() {
            Ok(()) if self.operational == *next => Ok(()),
            Ok(()) => Err(self.failed(error)),
            Err(unreadable) => Err(self.unknown(&error, &unreadable)),
        }
    }

    fn backup(&mut self) -> Result<Backup, StoreError> {
        self.refresh()?;
        backup::take(self)
    }
}
