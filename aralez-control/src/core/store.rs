//! What control asks of a store of revisions. The embedded ledger is one; Consul KV, etcd and Kubernetes can be others.

use std::io::Read;

use aralez_proto::document::{DocumentFault, DocumentSet};
use aralez_proto::hash::Digest;
use aralez_proto::model::NodeName;
use aralez_proto::record::Change;

use crate::core::authored_roots::AuthoredRoots;
use crate::core::commit::CommitOrigin;
use crate::core::layers::Operational;
use crate::core::roster::KnownNode;

/// 16 random bytes that name the fleet. They outlive the ledger.
pub type ClusterId = [u8; 16];

/// The identity of a cluster as people are shown it: hexadecimal digits.
pub fn cluster_text(id: &ClusterId) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The highest generation that control goes above. Generations are seconds since 1970, or one more than another: no node reaches this
/// honestly, and every JSON reader can still count it.
pub const MAX_GENERATION: u64 = 1 << 52;

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
    /// Authored roots at commit time; `None` in revisions that an older release committed.
    pub roots: Option<AuthoredRoots>,
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

/// A committed main document that has yet to be written to its file (`?save`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingSave {
    /// The revision whose main document it is.
    pub revision: u64,
    /// The hash of the file's text before; `None` where there was none to read. A file with another text was edited since, and wins.
    pub before: Option<Digest>,
    /// The [`DocumentSet::content_hash`] of the set of files once it is written.
    pub after: Digest,
}

/// What is to be written as one transaction.
#[derive(Clone, Copy, Debug)]
pub struct NewRevision<'a> {
    /// The revision that must be the head; 0 where there is none.
    pub parent: u64,
    /// Now, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Who brings it.
    pub origin: &'a CommitOrigin,
    /// Why.
    pub message: &'a str,
    /// The documents.
    pub documents: &'a DocumentSet,
    /// Authored roots of the views built from them.
    pub roots: &'a AuthoredRoots,
    /// The set of files read last, where that changes along.
    pub files: Option<FilesRead>,
    /// The save that follows. It takes the place of any that is pending.
    pub saving: Option<PendingSave>,
}

/// What changes in the list of nodes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeChanges {
    /// Written in the place of what is known of them.
    pub put: Vec<KnownNode>,
    /// No longer known.
    pub forget: Vec<NodeName>,
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
    /// The store cannot be read or written, or holds what it should not. Nothing was written.
    #[error("{0}")]
    Failed(String),
    /// A write failed, and the store cannot be read now: whether it is durable shows when [`Store::refresh`] succeeds.
    #[error("{0}")]
    Unknown(String),
}

/// Everything that is needed to restore a store elsewhere, secrets included.
pub struct Backup {
    /// How long it is, in bytes.
    pub length: u64,
    /// The version of the head: its generation and revision.
    pub head: (u64, u64),
    /// The bytes.
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

    /// The nodes that control expects.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn nodes(&self) -> Result<Vec<KnownNode>, StoreError>;

    /// Writes nodes and forgets others, durably and as one transaction.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn write_nodes(&mut self, nodes: &NodeChanges) -> Result<(), StoreError>;

    /// Writes the revision after `new.parent`, durably, and gives back what it is called.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the head is not `new.parent`: nothing was written.
    fn commit(&mut self, new: NewRevision<'_>) -> Result<RevisionInfo, StoreError>;

    /// Reads again what is durable after a write whose outcome is not known, or after another writer. Costs nothing where that is known.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn refresh(&mut self) -> Result<(), StoreError>;

    /// The set of files that was read last; `None` before the first. Costs nothing: it was read when the store was opened or refreshed.
    fn files_read(&self) -> Option<FilesRead>;

    /// Remembers the set of files read last, durably.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn remember_files(&mut self, files: FilesRead) -> Result<(), StoreError>;

    /// The save that was begun and of which the end is not known.
    fn pending_save(&self) -> Option<PendingSave>;

    /// Remembers, durably, that a save begins.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn save_begins(&mut self, saving: PendingSave) -> Result<(), StoreError>;

    /// Remembers that no save is pending any more, and with it the set of files, where it was written.
    ///
    /// # Errors
    /// Where the store cannot be written: it stays pending.
    fn save_ended(&mut self, files: Option<FilesRead>) -> Result<(), StoreError>;

    /// Whether this history is the one that its fleet follows. A history that was begun or restored is not, until it has served for a while:
    /// nodes may still hold a higher generation then, and it goes above theirs.
    fn is_settled(&self) -> bool;

    /// Remembers that it is, durably.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn settle(&mut self) -> Result<(), StoreError>;

    /// Goes on in a higher generation: what the head holds becomes the next revision, in that generation. `None` where there is no head yet.
    ///
    /// # Errors
    /// Where the store cannot be read or written, or `generation` is not higher.
    fn begin_generation(
        &mut self,
        generation: u64,
        unix_ms: u64,
        message: &str,
    ) -> Result<Option<RevisionInfo>, StoreError>;

    /// The operational layer.
    ///
    /// # Errors
    /// Where the store cannot be read.
    fn operational(&self) -> Result<Operational, StoreError>;

    /// Writes changes of the operational layer and the counter of `next`, which they lead to, durably and as one transaction.
    ///
    /// # Errors
    /// Where the store cannot be written.
    fn write_operational(
        &mut self,
        changes: &[Change],
        next: &Operational,
    ) -> Result<(), StoreError>;

    /// A consistent copy of everything that is durable.
    ///
    /// # Errors
    /// Where the store cannot be read, or there is no room for the copy.
    fn backup(&mut self) -> Result<Backup, StoreError>;
}

/// The main document as a file: what `?save` writes.
pub trait MainFile: Send {
    /// Replaces the text of the file as a whole, or leaves it as it was.
    ///
    /// # Errors
    /// One line with the file and the reason.
    fn save(&self, text: &[u8]) -> Result<(), String>;

    /// The text of the file now; `None` where it cannot be read.
    fn text(&self) -> Option<Vec<u8>>;
}

/// The set of files on disk: what `sources take` commits.
pub trait FilesOnDisk: Send {
    /// The set as it is now.
    ///
    /// # Errors
    /// Files that cannot be read, or that somebody is writing.
    fn read(&self) -> Result<DocumentSet, Vec<DocumentFault>>;
}
