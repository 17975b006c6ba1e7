//! A commit: the proposal, its result, and the reasons for a rejection.

use std::sync::Arc;

use aralez_proto::document::{DocumentFault, DocumentFaults, DocumentSet};
use aralez_proto::fault::{Fault, Faults};
use aralez_proto::model::PoolName;
use aralez_proto::version::Version;

use crate::core::dropped::Dropped;
use crate::core::hold::{Held, HoldId};
use crate::core::touched::TouchedGroups;

/// The origin of a revision's documents. It is informational: the name of an origin that only another release knows is kept as text, and
/// never prevents control from reading a revision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommitOrigin {
    /// The set of files.
    File,
    /// The config API.
    Api,
    /// An origin of another release, by its name.
    Other(Arc<str>),
}

impl CommitOrigin {
    /// Returns the name used in the ledger, in JSON and in logs.
    pub fn name(&self) -> &str {
        match self {
            Self::File => "file",
            Self::Api => "api",
            Self::Other(name) => name,
        }
    }

    /// Returns the origin with this name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "file" => Self::File,
            "api" => Self::Api,
            other => Self::Other(other.into()),
        }
    }
}

/// A proposal for the next revision.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// All authored documents: they replace the previous ones as a whole.
    pub documents: DocumentSet,
    /// The origin of the documents.
    pub origin: CommitOrigin,
    /// A message for operators; kept in the ledger.
    pub message: String,
    /// The revision that must be the head; `None` commits on whatever is the head.
    pub expect: Option<u64>,
    /// Set if the main document is also to be written to `upstreams_conf`.
    pub save: bool,
    /// Confirmation that it may remove most hosts or most of a pool.
    pub confirmation: Confirmation,
}

/// Confirmation that a proposal may pass the guard against mass removal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirmation {
    /// Files as the source found them: no client waits for an answer, and time confirms edited content.
    ByTime,
    /// None yet: the proposal is refused with an id.
    Missing,
    /// The id of an earlier refusal.
    Held(HoldId),
    /// An operator accepts every removal.
    Force,
}

/// A request to commit the files as they are on disk now.
#[derive(Clone, Debug)]
pub struct TakeFiles {
    /// A message for operators; kept in the ledger.
    pub message: String,
    /// Confirmation that it may remove most hosts or most of a pool.
    pub confirmation: Confirmation,
}

/// The result of a change.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The head after the change. The root is that of the default view.
    pub version: Version,
    /// Set if there is a new revision; `false` if the content equals that of the head.
    pub changed: bool,
    /// The groups whose view changed.
    pub touched: TouchedGroups,
    /// Warnings about accepted documents.
    pub warnings: Vec<DocumentFault>,
    /// The hosts that were removed because the new set lacks their documents.
    pub dropped: Vec<Dropped>,
    /// Result of writing the main document to its file.
    pub saved: Saved,
    /// The pools that keep their previous endpoints because the newly found ones have faults.
    pub left_out: Vec<LeftOut>,
}

impl Committed {
    /// Returns the result of a change without effect on the head `version`.
    pub fn nothing(version: Version) -> Self {
        Self {
            version,
            changed: false,
            touched: TouchedGroups::default(),
            warnings: Vec::new(),
            dropped: Vec::new(),
            saved: Saved::NotAsked,
            left_out: Vec::new(),
        }
    }
}

/// A pool that keeps its previous endpoints.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// The pool.
    pub pool: PoolName,
    /// Faults of the endpoints found for it, as every node would report them.
    pub faults: Vec<Fault>,
}

/// Result of writing the main document to its file. The commit is valid either way.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Saved {
    /// The proposal did not ask for it.
    #[default]
    NotAsked,
    /// The file holds the main document of the revision.
    Written,
    /// The file is unchanged, for this reason.
    Failed(String),
}

/// Reason why a proposal did not become a revision. Nothing was changed, except that [`Rejected::Unknown`] leaves this open.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Rejected {
    /// The documents have faults.
    #[error("{0}")]
    Documents(DocumentFaults),
    /// The documents are valid, but the resulting snapshot is not.
    #[error("{0}")]
    Snapshot(Faults),
    /// The head is another revision than the proposal expects.
    #[error("expected revision {expected}, but the head is {head}")]
    Conflict {
        /// The revision that the proposal expects.
        expected: u64,
        /// The revision of the head.
        head: u64,
    },
    /// The proposal removes in bulk and needs a confirmation.
    #[error("{0}")]
    Held(Held),
    /// The ledger could not be written, or there is no file to save to.
    #[error("{0}")]
    Store(String),
    /// The write to the ledger failed in a way that leaves open whether the revision is durable. Control rereads the ledger until it knows,
    /// and publishes the revision if it is there.
    #[error("{0}")]
    Unknown(String),
}
