//! The interface to a store of revisions. The embedded ledger implements it; Consul KV, etcd and Kubernetes could.

use std::collections::BTreeSet;
use std::io::Read;

use aralez_proto::document::{DocumentFault, DocumentSet, NamedFiles};
use aralez_proto::hash::Digest;
use aralez_proto::model::{NodeName, RelativePath};
use aralez_proto::record::Change;

use crate::core::authored_roots::AuthoredRoots;
use crate::core::commit::CommitOrigin;
use crate::core::layers::Operational;
use crate::core::roster::KnownNode;

/// 16 random bytes that name the fleet. They outlive the ledger.
pub type ClusterId = [u8; 16];

/// Formats the identity of a cluster as hexadecimal digits.
pub fn cluster_text(id: &ClusterId) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Limit of generations: control never moves above a node that holds this generation or a higher one. Generations are seconds since 1970,
/// or one more than another generation: no correct node reaches this value, and every JSON reader can still represent it.
pub const MAX_GENERATION: u64 = 1 << 52;

/// A revision without its documents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevisionInfo {
    /// The history that the revision belongs to.
    pub generation: u64,
    /// Number of the revision, counted from 1.
    pub revision: u64,
    /// Commit time in milliseconds since 1970.
    pub unix_ms: u64,
    /// Origin of the commit.
    pub origin: CommitOrigin,
    /// Reason, as the committer worded it.
    pub message: String,
    /// [`DocumentSet::content_hash`] of its documents.
    pub content_hash: Digest,
    /// Authored roots at commit time; `None` for revisions that an older release committed.
    pub roots: Option<AuthoredRoots>,
}

/// A revision with its documents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    /// Number, origin and hashes of the revision.
    pub info: RevisionInfo,
    /// The documents of the revision.
    pub documents: DocumentSet,
}

/// The set of files that was read last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FilesRead {
    /// [`DocumentSet::content_hash`] of the set.
    pub hash: Digest,
    /// Set if the files were refused for their faults.
    pub refused: bool,
}

/// A committed main document that has yet to be written to its file (`?save`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingSave {
    /// The revision that contains the main document.
    pub revision: u64,
    /// Hash of the file's text before the save; `None` if it could not be read. A file whose text differs was edited since, and is not
    /// overwritten.
    pub before: Option<Digest>,
    /// [`DocumentSet::content_hash`] of the set of files after the save.
    pub after: Digest,
}

/// A revision to write in one transaction.
#[derive(Clone, Copy, Debug)]
pub struct NewRevision<'a> {
    /// The revision that must be the head; 0 if there is none.
    pub parent: u64,
    /// Current time in milliseconds since 1970.
    pub unix_ms: u64,
    /// Origin of the commit.
    pub origin: &'a CommitOrigin,
    /// Reason for the commit.
    pub message: &'a str,
    /// The documents.
    pub documents: &'a DocumentSet,
    /// Authored roots of the views built from the documents.
    pub roots: &'a AuthoredRoots,
    /// The set of files read last, if it changes with this commit.
    pub files: Option<FilesRead>,
    /// The save that follows the commit. Replaces any pending save.
    pub saving: Option<PendingSave>,
}

/// Changes to the list of nodes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeChanges {
    /// Nodes to insert or overwrite.
    pub put: Vec<KnownNode>,
    /// Nodes to remove.
    pub forget: Vec<NodeName>,
}

/// Reason why a store operation failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer committed first.
    #[error("the head is revision {head}")]
    Conflict {
        /// The current head.
        head: u64,
    },
    /// The store cannot be read or written, or contains invalid data. Nothing was written.
    #[error("{0}")]
    Failed(String),
    /// A write failed, and the store cannot be read now: the outcome is known once [`Store::refresh`] succeeds.
    #[error("{0}")]
    Unknown(String),
}

/// Everything needed to restore a store elsewhere, secrets included.
pub struct Backup {
    /// Length in bytes.
    pub length: u64,
    /// Generation and revision of the head.
    pub head: (u64, u64),
    /// Reader of the backup's bytes.
    pub content: Box<dyn Read + Send>,
}

impl std::fmt::Debug for Backup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backup")
            .field("length", &self.length)
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

/// The ordered history of revisions, and the facts that belong to it.
pub trait Store: Send {
    /// Returns the identity of the fleet.
    fn cluster_id(&self) -> ClusterId;

    /// Returns the current generation.
    fn generation(&self) -> u64;

    /// Returns the newest revision; `None` before the first commit.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn head(&self) -> Result<Option<RevisionInfo>, StoreError>;

    /// Returns a revision with its documents; `None` if there is no such revision.
    ///
    /// # Errors
    /// If the store cannot be read or the documents cannot be decrypted.
    fn read(&self, revision: u64) -> Result<Option<Revision>, StoreError>;

    /// Returns the nodes that control expects.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn nodes(&self) -> Result<Vec<KnownNode>, StoreError>;

    /// Writes and removes nodes in one durable transaction.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn write_nodes(&mut self, nodes: &NodeChanges) -> Result<(), StoreError>;

    /// Writes the revision after `new.parent` durably, and returns its description.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the head is not `new.parent`: nothing was written.
    fn commit(&mut self, new: NewRevision<'_>) -> Result<RevisionInfo, StoreError>;

    /// Reads the durable state again after a write with an unknown outcome, or after another writer. Does nothing if that state is known.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn refresh(&mut self) -> Result<(), StoreError>;

    /// Returns the set of files read last; `None` before the first. Does no I/O: it was read when the store was opened or refreshed.
    fn files_read(&self) -> Option<FilesRead>;

    /// Stores the set of files read last, durably.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn remember_files(&mut self, files: FilesRead) -> Result<(), StoreError>;

    /// Returns the save that was begun and whose outcome is unknown.
    fn pending_save(&self) -> Option<PendingSave>;

    /// Records, durably, that a save begins.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn save_begins(&mut self, saving: PendingSave) -> Result<(), StoreError>;

    /// Clears the pending save and, if the file was written, stores the new set of files.
    ///
    /// # Errors
    /// If the store cannot be written: the save stays pending.
    fn save_ended(&mut self, files: Option<FilesRead>) -> Result<(), StoreError>;

    /// Reports whether the fleet follows this history. A new or restored history is not settled until it has served for a while: nodes may
    /// still hold a higher generation, and control then moves above theirs.
    fn is_settled(&self) -> bool;

    /// Records, durably, that the fleet follows this history.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn settle(&mut self) -> Result<(), StoreError>;

    /// Continues in a higher generation: the documents of the head become the next revision, in that generation. Returns `None` if there is
    /// no head yet.
    ///
    /// # Errors
    /// If the store cannot be read or written, or `generation` is not higher.
    fn begin_generation(
        &mut self,
        generation: u64,
        unix_ms: u64,
        message: &str,
    ) -> Result<Option<RevisionInfo>, StoreError>;

    /// Returns the operational layer.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn operational(&self) -> Result<Operational, StoreError>;

    /// Writes changes of the operational layer and the counter of the resulting layer `next`, in one durable transaction.
    ///
    /// # Errors
    /// If the store cannot be written.
    fn write_operational(
        &mut self,
        changes: &[Change],
        next: &Operational,
    ) -> Result<(), StoreError>;

    /// Returns a consistent copy of everything that is durable.
    ///
    /// # Errors
    /// If the store cannot be read, or there is no disk space for the copy.
    fn backup(&mut self) -> Result<Backup, StoreError>;
}

/// The main document as a file; `?save` writes it.
pub trait MainFile: Send {
    /// Replaces the text of the file atomically, or leaves it unchanged.
    ///
    /// # Errors
    /// One line with the file and the reason.
    fn save(&self, text: &[u8]) -> Result<(), String>;

    /// Returns the current text of the file; `None` if it cannot be read.
    fn text(&self) -> Option<Vec<u8>>;
}

/// The configuration folder: `sources take` commits the documents in it, and a push uses the files in it that its documents name.
pub trait FilesOnDisk: Send {
    /// Reads the current documents.
    ///
    /// # Errors
    /// If files cannot be read, or another process is writing them.
    fn read(&self) -> Result<DocumentSet, Vec<DocumentFault>>;

    /// Reads files that documents name. A file that cannot be read, or that another process is writing, has the reason instead.
    fn named(&self, paths: &BTreeSet<RelativePath>) -> NamedFiles;
}
