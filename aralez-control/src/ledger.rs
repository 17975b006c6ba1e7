//! The ledger: revisions in one embedded file below control's folder, documents sealed.
//!
//! Every commit is one durable transaction, so that a crash leaves the revision before or the one after. The key lies in `seal.key`
//! beside the file; without it the revisions do not open. It does **not** decide what is committed.

mod entry;
mod meta;
mod nodes;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use aralez_proto::document::DocumentSet;
use aralez_proto::seal::SealKey;
use aralez_runtime::lock::InstanceLock;
use aralez_runtime::{clock, private, random};
use redb::backends::FileBackend;
use redb::{
    Database, Durability, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
};

use crate::core::roster::KnownNode;
use crate::core::store::{
    ClusterId, FilesRead, NewRevision, NodeChanges, Revision, RevisionInfo, Store, StoreError,
};
use entry::Entry;
use meta::{META, Meta};

#[cfg(test)]
mod tests;

const REVISIONS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("revisions");

/// Pages of the file that are kept in memory. Control reads one revision at its start; everything else is writing.
const CACHE_BYTES: usize = 4 << 20;

/// The embedded ledger. Holds the lock of its folder while it lives.
#[derive(Debug)]
pub struct Ledger {
    /// `None` after a write that failed: the database takes nothing more then, until it is opened again.
    database: Option<Database>,
    path: PathBuf,
    key: SealKey,
    meta: Meta,
    head: Option<RevisionInfo>,
    _lock: InstanceLock,
}

/// Why a ledger does not open: one line that names the file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(String);

impl Ledger {
    /// Opens the ledger in `dir` (`state_dir/control`), making folder, key and an empty ledger where there is none.
    ///
    /// # Errors
    /// A second control on the same folder, a damaged or newer file, another key.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        private::ensure_dir(dir)
            .map_err(|error| OpenError(format!("{}: {error}", dir.display())))?;
        let lock = InstanceLock::acquire(dir).map_err(|error| OpenError(error.to_string()))?;
        let path = dir.join("ledger.redb");
        let key_path = dir.join("seal.key");
        // Asked before the key is made: a new key would hide that the one that matters is gone.
        let has_key = key_path.exists();
        let key =
            private::load_or_create_key(&key_path).map_err(|error| OpenError(error.to_string()))?;
        let name = path.display().to_string();
        let named = |error: StoreError| OpenError(format!("{name}: {error}"));
        let damaged = || OpenError(format!("{name}: {DAMAGED}"));
        let database =
            open_database(&path).map_err(|reason| OpenError(format!("{name}: {reason}")))?;
        let loaded = catch_unwind(AssertUnwindSafe(|| load_meta(&database)));
        let meta = match loaded {
            Ok(meta) => meta.map_err(named)?,
            Err(_) => return Err(given_up(database, damaged())),
        };
        let mut ledger = Self {
            database: Some(database),
            path,
            key,
            meta,
            head: None,
            _lock: lock,
        };
        let Ok(head) = catch_unwind(AssertUnwindSafe(|| ledger.head_of(&meta))) else {
            return Err(given_up(ledger, damaged()));
        };
        let head = head.map_err(|error| match error {
            StoreError::Failed(reason) if !has_key => OpenError(format!(
                "{}: {reason} (seal.key was missing and has been made anew; put the one back that belongs to this ledger)",
                ledger.path.display()
            )),
            error => OpenError(error.to_string()),
        })?;
        ledger.head = head.map(|revision| revision.info);
        Ok(ledger)
    }

    /// The head that the meta table tells of. It must be the newest revision and of the same history: what is counted on from a damaged
    /// number would use a number twice.
    fn head_of(&self, meta: &Meta) -> Result<Option<Revision>, StoreError> {
        let newest = self.newest().map_err(|error| self.failed(error))?;
        if newest != meta.head {
            let head = meta.head;
            let reason = format!("the head is revision {head}, but the newest is {newest}");
            return Err(self.failed(reason));
        }
        let head = self.read(newest)?;
        let generation = head.as_ref().map(|head| head.info.generation);
        if generation.is_some_and(|generation| generation != meta.generation) {
            return Err(self.failed(format!("revision {newest} is of another generation")));
        }
        Ok(head)
    }

    /// The highest revision that is stored; 0 where there is none.
    fn newest(&self) -> Result<u64, redb::Error> {
        let table = self.opened()?.begin_read()?.open_table(REVISIONS)?;
        let last = table.last()?;
        Ok(last.map_or(0, |(revision, _)| revision.value()))
    }

    fn failed(&self, reason: impl std::fmt::Display) -> StoreError {
        StoreError::Failed(format!("{}: {reason}", self.path.display()))
    }

    fn opened(&self) -> Result<&Database, redb::Error> {
        self.database.as_ref().ok_or(redb::Error::PreviousIo)
    }

    /// Writes the meta table, and a revision with it, as one transaction.
    fn write(&mut self, meta: &Meta, entry: Option<(u64, &[u8])>) -> Result<(), StoreError> {
        self.reopen()?;
        let written = self
            .opened()
            .and_then(|database| write(database, meta, entry));
        written.map_err(|error| self.broken(error))
    }

    /// A write failed: the database takes nothing more, and is opened again by the next.
    fn broken(&mut self, error: redb::Error) -> StoreError {
        // Its end may panic where the disk fails; what is on the disk is whole either way.
        let broken = self.database.take();
        let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
        self.failed(error)
    }

    /// Opens the file again after a write that failed, so that control goes on by itself once the disk has room. What this process never
    /// heard to be committed was told to nobody, and is written over.
    fn reopen(&mut self) -> Result<(), StoreError> {
        if self.database.is_some() {
            return Ok(());
        }
        let database = open_database(&self.path).map_err(|reason| self.failed(reason))?;
        let meta = catch_unwind(AssertUnwindSafe(|| load_meta(&database)));
        let meta = meta.unwrap_or_else(|_| Err(StoreError::Failed(DAMAGED.to_owned())))?;
        if meta.cluster_id != self.meta.cluster_id {
            return Err(self.failed("it is another ledger than the one that was opened"));
        }
        self.database = Some(database);
        Ok(())
    }
}

/// What is said of a file in which even the way to the head is broken.
const DAMAGED: &str = "it is damaged beyond what can be read";

/// Lets go of what a panic left behind, whose end may panic as well.
fn given_up<T>(broken: T, error: OpenError) -> OpenError {
    // It is of no use any more, however it ends.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
    error
}

/// Opens the file at the cost of its head, however long the history is. A damaged file must not end the process in a panic; what is read of
/// it is proved by its seal and its hash.
fn open_database(path: &Path) -> Result<Database, String> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| error.to_string())?;
    let open = || open_backend(FileBackend::new(file)?);
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(redb::DatabaseError::DatabaseAlreadyOpen)) => {
            Err("another process has it open".to_owned())
        }
        Ok(Err(error)) => Err(format!("it does not open: {error}")),
        Err(_) => Err(DAMAGED.to_owned()),
    }
}

fn open_backend(backend: impl StorageBackend) -> Result<Database, redb::DatabaseError> {
    Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(backend)
}

/// The meta table; a file without any table is new and gets one.
fn load_meta(database: &Database) -> Result<Meta, StoreError> {
    let failed = |error: redb::Error| StoreError::Failed(error.to_string());
    let read = database
        .begin_read()
        .map_err(|error| failed(error.into()))?;
    match read.open_table(META) {
        Ok(table) => Meta::read(&table).map_err(|error| StoreError::Failed(error.to_string())),
        Err(redb::TableError::TableDoesNotExist(_)) => {
            let meta = Meta {
                cluster_id: random::bytes(),
                // History that begins anew must not look older to a proxy than the one that was lost.
                generation: clock::unix_ms() / 1000,
                head: 0,
                files: None,
            };
            write(database, &meta, None).map_err(failed)?;
            Ok(meta)
        }
        Err(error) => Err(failed(error.into())),
    }
}

fn write(database: &Database, meta: &Meta, entry: Option<(u64, &[u8])>) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    // Without it, opening after a crash reads and rebuilds the whole file.
    transaction.set_quick_repair(true);
    {
        meta.write(&mut transaction.open_table(META)?)?;
        let mut revisions = transaction.open_table(REVISIONS)?;
        if let Some((revision, bytes)) = entry {
            revisions.insert(revision, bytes)?;
        }
    }
    transaction.commit()?;
    Ok(())
}

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
        let bytes = || -> Result<Option<Vec<u8>>, redb::Error> {
            let table = self.opened()?.begin_read()?.open_table(REVISIONS)?;
            let entry = table.get(revision)?;
            Ok(entry.map(|bytes| bytes.value().to_vec()))
        };
        let Some(bytes) = bytes().map_err(|error| self.failed(error))? else {
            return Ok(None);
        };
        let entry = Entry::decode(revision, &bytes).map_err(|error| self.failed(error))?;
        let documents: DocumentSet = entry
            .documents(&self.key)
            .map_err(|error| self.failed(error))?;
        Ok(Some(Revision {
            info: entry.info,
            documents,
        }))
    }

    fn nodes(&self) -> Result<Vec<KnownNode>, StoreError> {
        let read = catch_unwind(AssertUnwindSafe(|| self.opened().and_then(nodes::read)));
        let read = read.map_err(|_| self.failed(DAMAGED))?;
        read.map_err(|error| self.failed(error))
    }

    fn write_nodes(&mut self, changes: &NodeChanges) -> Result<(), StoreError> {
        self.reopen()?;
        let written = self
            .opened()
            .and_then(|database| nodes::write(database, changes));
        written.map_err(|error| self.broken(error))
    }

    fn commit(&mut self, new: NewRevision<'_>) -> Result<RevisionInfo, StoreError> {
        let head = self.meta.head;
        if new.parent != head {
            return Err(StoreError::Conflict { head });
        }
        let info = RevisionInfo {
            generation: self.meta.generation,
            revision: head + 1,
            unix_ms: new.unix_ms,
            origin: new.origin,
            message: new.message.to_owned(),
            content_hash: new.documents.content_hash(),
        };
        let bytes = entry::encode(&info, new.documents, &self.key, random::bytes())
            .map_err(|error| self.failed(error))?;
        let meta = Meta {
            head: info.revision,
            files: new.files.or(self.meta.files),
            ..self.meta
        };
        self.write(&meta, Some((info.revision, &bytes)))?;
        self.meta = meta;
        self.head = Some(info.clone());
        Ok(info)
    }

    fn files_read(&self) -> Result<Option<FilesRead>, StoreError> {
        Ok(self.meta.files)
    }

    fn remember_files(&mut self, files: FilesRead) -> Result<(), StoreError> {
        let meta = Meta {
            files: Some(files),
            ..self.meta
        };
        self.write(&meta, None)?;
        self.meta = meta;
        Ok(())
    }
}
