//! What control asks of a store of revisions. The embedded ledger is one; Consul KV, etcd and Kubernetes can be others.

use aralez_proto::document::{DocumentFault, DocumentSet};
use aralez_proto::hash::Digest;

use crate::core::commit::CommitOrigin;

/// 16 random bytes that name the fleet, made with the store.
pub type ClusterId = [u8; 16];

/// What a person may know of a revision without its documents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RevisionInfo {
    /// The history it belongs to.
    pub generation: u64,
    /// Its number, counted from 1.
    pub revision: u64,
    /// When it was committed, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Who brought it.
    pub origin: CommitOrigin,
    /// Why, in the words of who brought it.
    pub message: String,
    /// [`DocumentSet::content_hash`] of its documents.
    pub content_hash: Digest,
}

/// A revision with its documents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revision {
    /// What it is called.
    pub info: RevisionInfo,
    /// Its documents.
    pub documents: DocumentSet,
}

/// The set of files that was read last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FilesRead {
    /// Its [`DocumentSet::content_hash`].
    pub hash: Digest,
    /// Whether it was refused for its faults.
    pub refused: bool,
}

/// What is to be written as one transaction.
#[derive(Clone, Copy, Debug)]
pub struct NewRevision<'a> {
    /// The revision that must be the head; 0 where there is none.
    pub parent: u64,
    /// Now, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Who brings it.
    pub origin: CommitOrigin,
    /// Why.
    pub message: &'a str,
    /// The documents.
    pub documents: &'a DocumentSet,
    /// The set of files read last, where that changes along.
    pub files: Option<FilesRead>,
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first.
    #[error("the head is revision {head}")]
    Conflict {
        /// The head.
        head: u64,
    },
    /// The store cannot be read or written, or holds what it should not.
    #[error("{0}")]
    Failed(String),
}

/// The ordered history of revisions, and the few facts that live and die with it.
pub trait Store: Send {
    /// The name of the fleet.
    fn cluster_id(&self) -> ClusterId;

    /// The history that is written now.
    fn generation(&self) -> u64;

    /// The newest revision; `None` before the first commit.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn head(&self) -> Result<Option<RevisionInfo>, StoreError>;

    /// A revision with its documents; `None` where there is no such revision.
    ///
    /// # Errors
    /// Where the store cannot be read or the documents do not open.
    fn read(&self, revision: u64) -> Result<Option<Revision>, StoreError>;

    /// Writes the revision after `new.parent`, durably, and gives back what it is called.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the head is not `new.parent`: nothing was written.
    fn commit(&mut self, new: NewRevision<'_>) -> Result<RevisionInfo, StoreError>;

    /// The set of files that was read last; `None` before the first.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn files_read(&self) -> Result<Option<FilesRead>, StoreError>;

    /// Remembers the set of files read last, durably.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn remember_files(&mut self, files: FilesRead) -> Result<(), StoreError>;
}

/// The main document as a file: what `?save` writes.
pub trait MainFile: Send {
    /// Replaces the text of the file as a whole, or leaves it as it was.
    ///
    /// # Errors
    /// One line with the file and the reason.
    fn save(&self, text: &[u8]) -> Result<(), String>;
}

/// The set of files on disk: what `sources take` commits.
pub trait FilesOnDisk: Send {
    /// The set as it is now.
    ///
    /// # Errors
    /// Files that cannot be read, or that somebody is writing.
    fn read(&self) -> Result<DocumentSet, Vec<DocumentFault>>;
}
