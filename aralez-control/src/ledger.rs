//! The ledger: revisions in one embedded file below control's folder, documents sealed.
//!
//! Every commit is one durable transaction, so that a crash leaves the revision before or the one after. The key lies in `seal.key` and the
//! cluster's identity in `cluster.key` beside the file. It does **not** decide what is committed.

mod backup;
mod check;
mod entry;
mod identity;
mod interrupted;
mod meta;
mod nodes;
mod operational;
mod restore;
mod store;
mod tables;

use std::path::{Path, PathBuf};

use aralez_proto::seal::SealKey;
use aralez_runtime::lock::InstanceLock;
use aralez_runtime::{clock, private, random};
use redb::Database;
use tracing::{info, warn};

use crate::core::layers::Operational;
use crate::core::store::{Revision, RevisionInfo, Store, StoreError, cluster_text};
pub use check::{Checked, check};
use meta::Meta;
pub use restore::{RestoreError, Restored, restore};

#[cfg(test)]
mod tests;

/// The name of the ledger's file.
const LEDGER: &str = "ledger.redb";
/// The name of the file of the key.
const SEAL_KEY: &str = "seal.key";

/// The embedded ledger. Holds the lock of its folder while it lives.
#[derive(Debug)]
pub struct Ledger {
    /// `None` after a write that failed: the database takes nothing more then, until it is opened again.
    database: Option<Database>,
    folder: PathBuf,
    key: SealKey,
    meta: Meta,
    head: Option<RevisionInfo>,
    operational: Operational,
    _lock: InstanceLock,
}

/// Why a ledger does not open: one line that names the file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(String);

impl OpenError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl Ledger {
    /// Opens the ledger in `folder` (`state_dir/control`), making folder, identity, key and an empty ledger where there is none.
    ///
    /// # Errors
    /// A second control on the same folder, a damaged or newer file, another key, the ledger of another cluster, a restore that was
    /// interrupted.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let wide = private::ensure_own_dir(folder)
            .map_err(|error| OpenError(format!("{}: {error}", folder.display())))?;
        if let Some(wide) = wide {
            warn!("{}: {wide}", folder.display());
        }
        let lock = InstanceLock::acquire(folder).map_err(OpenError::of)?;
        interrupted::refuse(folder).map_err(OpenError::of)?;
        let path = folder.join(LEDGER);
        let key_path = folder.join(SEAL_KEY);
        // Asked before the key is made: a new key would hide that the one that matters is gone.
        let has_key = key_path.exists();
        let private::Key { key, trouble } =
            private::load_or_create_key(&key_path).map_err(OpenError::of)?;
        if let Some(trouble) = trouble {
            warn!("{trouble}");
        }
        let named = |reason: String| OpenError(format!("{}: {reason}", path.display()));
        let database = tables::open(&path).map_err(named)?;
        let meta = match tables::meta(&database) {
            Ok(meta) => meta,
            Err(reason) => {
                tables::give_up(Some(database));
                return Err(named(reason));
            }
        };
        let meta = belonging(folder, &database, meta)?;
        let mut ledger = Self {
            database: Some(database),
            folder: folder.to_owned(),
            key,
            meta,
            head: None,
            operational: Operational::default(),
            _lock: lock,
        };
        match tables::guarded(|| Ok(ledger.head_of(&meta))) {
            Ok(Ok(head)) => ledger.head = head.map(|revision| revision.info),
            Ok(Err(StoreError::Failed(reason))) if !has_key => {
                let hint = "seal.key was missing and has been made anew; put the one back that belongs to this ledger";
                return Err(OpenError(format!("{reason} ({hint})")));
            }
            Ok(Err(error)) => return Err(OpenError::of(error)),
            Err(reason) => {
                tables::give_up(ledger.database.take());
                return Err(named(reason));
            }
        }
        ledger.operational = ledger.read_operational().map_err(OpenError::of)?;
        Ok(ledger)
    }

    /// The head that the meta table tells of. It must be the newest revision and of the same history: what is counted on from a damaged
    /// number would use a number twice.
    fn head_of(&self, meta: &Meta) -> Result<Option<Revision>, StoreError> {
        let newest = self.opened().and_then(tables::newest);
        let newest = newest.map_err(|error| self.failed(error))?;
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

    fn read_operational(&self) -> Result<Operational, StoreError> {
        let read = tables::guarded(|| {
            let database = self.opened().map_err(|error| error.to_string())?;
            operational::read(database, &self.key)
        });
        read.map_err(|reason| self.failed(reason))
    }

    /// The key with which everything in this folder is sealed.
    pub fn seal_key(&self) -> SealKey {
        self.key.clone()
    }

    fn path(&self) -> PathBuf {
        self.folder.join(LEDGER)
    }

    fn failed(&self, reason: impl std::fmt::Display) -> StoreError {
        StoreError::Failed(format!("{}: {reason}", self.path().display()))
    }

    fn opened(&self) -> Result<&Database, redb::Error> {
        self.database.as_ref().ok_or(redb::Error::PreviousIo)
    }

    /// Writes the meta table, and a revision with it, as one transaction, and takes over what it says.
    fn write(
        &mut self,
        meta: Meta,
        entry: Option<(&RevisionInfo, &[u8])>,
    ) -> Result<(), StoreError> {
        let bytes = entry.map(|(info, bytes)| (info.revision, bytes));
        let written = self
            .opened()
            .and_then(|database| tables::write(database, &meta, bytes));
        let Err(error) = written else {
            self.meta = meta;
            if let Some((info, _)) = entry {
                self.head = Some(info.clone());
            }
            return Ok(());
        };
        tables::give_up(self.database.take());
        match self.refresh() {
            Ok(()) if self.meta == meta => {
                warn!(%error, "a write of the ledger reported an error, but it is durable");
                Ok(())
            }
            Ok(()) => Err(self.failed(error)),
            Err(unreadable) => Err(self.unknown(&error, &unreadable)),
        }
    }

    /// A write failed, and so does a look at what came of it.
    fn unknown(&self, error: &redb::Error, unreadable: &StoreError) -> StoreError {
        StoreError::Unknown(format!(
            "{}: {error}; whether it was written is not known yet, since the file cannot be read again: {unreadable}",
            self.path().display()
        ))
    }

    /// What the file says now that it was opened again. A transaction of which the outcome was not known counts only once another one has
    /// followed it to the disk.
    fn reread(&mut self, database: Database) -> Result<(), StoreError> {
        let meta = tables::meta(&database).map_err(|reason| self.failed(reason))?;
        let meta = meta.ok_or_else(|| self.failed("it is empty"))?;
        if meta.cluster_id != self.meta.cluster_id {
            return Err(self.failed("it is another ledger than the one that was opened"));
        }
        if meta != self.meta {
            let proven = tables::write(&database, &meta, None);
            proven.map_err(|error| self.failed(error))?;
        }
        self.database = Some(database);
        let head = tables::guarded(|| Ok(self.head_of(&meta)));
        let head = head.map_err(|reason| self.failed(reason)).flatten();
        match head {
            Ok(head) => {
                self.operational = self.read_operational()?;
                self.meta = meta;
                self.head = head.map(|revision| revision.info);
                Ok(())
            }
            Err(error) => {
                tables::give_up(self.database.take());
                Err(error)
            }
        }
    }

    /// The entry of a revision with these documents, and what it is called.
    fn write_revision(
        &mut self,
        meta: Meta,
        info: RevisionInfo,
        documents: &aralez_proto::document::DocumentSet,
    ) -> Result<RevisionInfo, StoreError> {
        let bytes = entry::encode(&info, documents, &self.key, random::bytes())
            .map_err(|error| self.failed(error))?;
        self.write(meta, Some((&info, &bytes)))?;
        Ok(info)
    }
}

/// The facts of the ledger, after it and the identity beside it were brought together: what is missing of the two is made.
fn belonging(folder: &Path, database: &Database, meta: Option<Meta>) -> Result<Meta, OpenError> {
    let identity = identity::load(folder).map_err(OpenError::of)?;
    match (meta, identity) {
        (Some(meta), Some(identity)) if meta.cluster_id == identity => Ok(meta),
        (Some(meta), Some(identity)) => Err(OpenError::of(identity::differs(
            folder,
            &identity,
            &meta.cluster_id,
        ))),
        (Some(meta), None) => {
            identity::write(folder, &meta.cluster_id).map_err(OpenError::of)?;
            warn!("cluster.key was missing and has been made again from the ledger");
            Ok(meta)
        }
        (None, identity) => {
            let known = identity.is_some();
            let identity = match identity {
                Some(identity) => identity,
                None => identity::create(folder).map_err(OpenError::of)?,
            };
            let meta = Meta::begun(identity, clock::unix_ms());
            let path = folder.join(LEDGER);
            tables::write(database, &meta, None)
                .map_err(|error| OpenError(format!("{}: {error}", path.display())))?;
            let (cluster, generation) = (cluster_text(&identity), meta.generation);
            if known {
                warn!(%cluster, generation, "there is no ledger beside cluster.key: began a new history of the same cluster");
            } else {
                info!(%cluster, generation, "began a new cluster");
            }
            Ok(meta)
        }
    }
}
