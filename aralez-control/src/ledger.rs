//! The ledger: revisions in one embedded file in control's folder, documents sealed.
//!
//! Every commit is one durable transaction, so that a crash leaves either the revision before or the one after. The key is in `seal.key`
//! and the cluster's identity in `cluster.key`, both in the same folder. The ledger does **not** decide what is committed.

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

/// Name of the ledger's file.
const LEDGER: &str = "ledger.redb";
/// Name of the key's file.
const SEAL_KEY: &str = "seal.key";

/// The embedded ledger. Holds the lock of its folder until dropped.
#[derive(Debug)]
pub struct Ledger {
    /// `None` after a failed write: the database accepts nothing more until it is reopened.
    database: Option<Database>,
    folder: PathBuf,
    key: SealKey,
    meta: Meta,
    head: Option<RevisionInfo>,
    operational: Operational,
    _lock: InstanceLock,
}

/// Reason why a ledger does not open: one line that names the file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OpenError(String);

impl OpenError {
    fn of(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl Ledger {
    /// Opens the ledger in `folder` (`state_dir/control`), creating folder, identity, key and an empty ledger if missing.
    ///
    /// # Errors
    /// A second control on the same folder, a damaged or newer file, another key, the ledger of another cluster, or an interrupted restore.
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
        // Checked before the key is created: a new key would hide that the right one is missing.
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
                let hint = "seal.key was missing, so a new one was created; put back the seal.key of this ledger";
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

    /// Returns the head that the meta table names. It must be the newest stored revision and of the current generation: a commit after a
    /// damaged head number would reuse a revision number.
    fn head_of(&self, meta: &Meta) -> Result<Option<Revision>, StoreError> {
        let newest = self.opened().and_then(tables::newest);
        let newest = newest.map_err(|error| self.failed(error))?;
        if newest != meta.head {
            let head = meta.head;
            let reason = format!(
                "meta names revision {head} as the head, but the newest stored revision is {newest}"
            );
            return Err(self.failed(reason));
        }
        let head = self.read(newest)?;
        let generation = head.as_ref().map(|head| head.info.generation);
        if generation.is_some_and(|generation| generation != meta.generation) {
            return Err(self.failed(format!("revision {newest}: generation mismatch")));
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

    /// Returns the key that seals everything in this folder.
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

    /// Writes the meta table, optionally with a revision, as one transaction, and adopts the new state.
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
                warn!(%error, "ledger write reported an error, but it is durable");
                Ok(())
            }
            Ok(()) => Err(self.failed(error)),
            Err(unreadable) => Err(self.unknown(&error, &unreadable)),
        }
    }

    /// Returns the error for a failed write whose outcome cannot be read either.
    fn unknown(&self, error: &redb::Error, unreadable: &StoreError) -> StoreError {
        StoreError::Unknown(format!(
            "{}: {error}; outcome of the write unknown: cannot reread the file: {unreadable}",
            self.path().display()
        ))
    }

    /// Adopts the state of a reopened file. If that differs from the known state, a transaction of unknown outcome is in the file: another
    /// durable transaction is written first, which makes it durable as well.
    fn reread(&mut self, database: Database) -> Result<(), StoreError> {
        let meta = tables::meta(&database).map_err(|reason| self.failed(reason))?;
        let meta = meta.ok_or_else(|| self.failed("the ledger is empty"))?;
        if meta.cluster_id != self.meta.cluster_id {
            return Err(self.failed("the file is now the ledger of another cluster"));
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

    /// Writes a revision with these documents and returns its description.
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

/// Returns the ledger's meta facts after reconciling them with the identity file: whichever of the two is missing is created.
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
            warn!("cluster.key was missing: recreated from the ledger");
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
                warn!(%cluster, generation, "no ledger found for cluster.key: began a new history of the same cluster");
            } else {
                info!(%cluster, generation, "began a new cluster");
            }
            Ok(meta)
        }
    }
}
