//! What is told of where the documents come from.

use std::time::Instant;

use aralez_proto::document::{DocumentFault, DocumentSet, Place};
use aralez_proto::hash::Digest;

use crate::core::commit::{CommitOrigin, Rejected};
use crate::core::hold::Held;

/// What a look at the set of files came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FilesReading {
    /// The complete set; `None` where it cannot be known now, so that what serves stays.
    pub documents: Option<DocumentSet>,
    /// Why the set cannot be known.
    pub faults: Vec<DocumentFault>,
    /// What is worth saying though the set is known: a deleted file whose text stays, for one.
    pub warnings: Vec<DocumentFault>,
    /// Documents whose last text is still in the set although their files are gone in a way that looks like an accident: the whole
    /// folder, or all of several files at once. They stay until the files are back or an operator releases them.
    pub gone: Vec<String>,
    /// How many files of the set were being written for so long that their last text is used instead.
    pub writing: usize,
}

/// The state of the documents, for `status` and `/v1`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceStatus {
    /// Who brought the head; `None` before the first commit.
    pub head_origin: Option<CommitOrigin>,
    /// The hash of the set of files read last; `None` before the first.
    pub files_hash: Option<Digest>,
    /// Why the files as they are now are not what serves. Empty where nothing is wrong.
    pub faults: Vec<DocumentFault>,
    /// What is worth saying about the files.
    pub warnings: Vec<DocumentFault>,
    /// Why the files as they are now wait for a second look; `None` where they do not.
    pub held: Option<Held>,
    /// How many files are not read because somebody has been writing them for more than a minute.
    pub writing: usize,
    /// Since when this is so.
    pub since: Instant,
}

/// What the source of files must know of the time before it began.
#[derive(Clone, Debug, Default)]
pub struct KnownFiles {
    /// The documents that the files held when they were last taken; empty where that is not known.
    pub documents: DocumentSet,
    /// The hash of the set of files read last.
    pub hash: Option<Digest>,
    /// Whether there is a head at all, from wherever.
    pub has_head: bool,
}

/// A refusal as faults of documents: what has no place in one names the main document as a whole.
pub fn faults_of(rejected: &Rejected) -> Vec<DocumentFault> {
    let whole = |path: String, reason: String| DocumentFault {
        place: Place {
            file: DocumentSet::MAIN.to_owned(),
            line: 0,
            column: 0,
        },
        path,
        reason,
    };
    match rejected {
        Rejected::Documents(faults) => faults.0.clone(),
        Rejected::Snapshot(faults) => faults
            .as_slice()
            .iter()
            .map(|fault| {
                let resource = fault.resource.as_ref().map(ToString::to_string);
                whole(resource.unwrap_or_default(), fault.reason.clone())
            })
            .collect(),
        // Nothing is wrong with what is held; it is told by itself.
        Rejected::Held(_) => Vec::new(),
        Rejected::Conflict { .. } | Rejected::Store(_) | Rejected::Unknown(_) => {
            vec![whole(String::new(), rejected.to_string())]
        }
    }
}
