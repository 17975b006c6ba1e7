//! A commit: what is proposed, what came of it, why it was refused.

use std::sync::Arc;

use aralez_proto::document::{DocumentFault, DocumentFaults, DocumentSet};
use aralez_proto::fault::{Fault, Faults};
use aralez_proto::model::PoolName;
use aralez_proto::version::Version;

use crate::core::dropped::Dropped;
use crate::core::hold::{Held, HoldId};
use crate::core::touched::TouchedGroups;

/// Who brought the documents of a revision. It only informs, so a name that another release wrote is kept as text and never keeps control
/// from reading a revision.
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
    /// The name in the ledger, in JSON and in logs.
    pub fn name(&self) -> &str {
        match self {
            Self::File => "file",
            Self::Api => "api",
            Self::Other(name) => name,
        }
    }

    /// The origin of a name.
    pub fn from_name(name: &str) -> Self {
        match name {
            "file" => Self::File,
            "api" => Self::Api,
            other => Self::Other(other.into()),
        }
    }
}

/// What is to become the next revision.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// All authored documents: they replace the ones before as a whole.
    pub documents: DocumentSet,
    /// Who brings them.
    pub origin: CommitOrigin,
    /// For people; kept in the ledger.
    pub message: String,
    /// The revision that must be the head; `None` commits on whatever is the head.
    pub expect: Option<u64>,
    /// Whether the main document is written to `upstreams_conf` as well.
    pub save: bool,
    /// What lets it remove most hosts or most of a pool.
    pub confirmation: Confirmation,
}

/// What lets a proposal past the guard against mass removal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirmation {
    /// Files as the source found them: nobody waits for an answer, and time confirms what was edited.
    ByTime,
    /// None yet: it is refused with an id.
    Missing,
    /// The id of an earlier refusal.
    Held(HoldId),
    /// Whatever it removes, an operator wants it.
    Force,
}

/// A request to commit the files as they are on disk now.
#[derive(Clone, Debug)]
pub struct TakeFiles {
    /// For people; kept in the ledger.
    pub message: String,
    /// What lets it remove most hosts or most of a pool.
    pub confirmation: Confirmation,
}

/// What came of a change.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The head now. The root is that of the default view.
    pub version: Version,
    /// Whether there is a new revision; `false` where the content was that of the head.
    pub changed: bool,
    /// The groups whose view changed.
    pub touched: TouchedGroups,
    /// What is accepted but worth saying.
    pub warnings: Vec<DocumentFault>,
    /// The hosts that went because the new set lacks the documents that had them.
    pub dropped: Vec<Dropped>,
    /// Whether the main document was written to its file.
    pub saved: Saved,
    /// The pools that keep the endpoints that they had, since what a source found for them is at fault.
    pub left_out: Vec<LeftOut>,
}

impl Committed {
    /// Nothing changed: this is the head as before.
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

/// A pool that keeps the endpoints that it had.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// Which pool.
    pub pool: PoolName,
    /// What is wrong with what was found for it, as every node would say.
    pub faults: Vec<Fault>,
}

/// What became of the file that a proposal wanted written. The commit stands either way.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Saved {
    /// The proposal did not ask for it.
    #[default]
    NotAsked,
    /// The file holds the main document of the revision.
    Written,
    /// The file is as it was, for this reason.
    Failed(String),
}

/// Why a proposal did not become a revision. Nothing was changed, except that [`Rejected::Unknown`] leaves that open.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Rejected {
    /// The documents have faults.
    #[error("{0}")]
    Documents(DocumentFaults),
    /// The documents read well, but what they come to is no snapshot.
    #[error("{0}")]
    Snapshot(Faults),
    /// The head is another revision than the proposal expects.
    #[error("expected revision {expected}, but the head is {head}")]
    Conflict {
        /// What the proposal expects.
        expected: u64,
        /// What is the head.
        head: u64,
    },
    /// It takes away so much that it is looked at twice.
    #[error("{0}")]
    Held(Held),
    /// The ledger could not be written, or there is no file to save to.
    #[error("{0}")]
    Store(String),
    /// The write of the ledger failed in a way that leaves open whether the revision is durable. Control reads the ledger again until it
    /// knows, and publishes the revision if it is there.
    #[error("{0}")]
    Unknown(String),
}
