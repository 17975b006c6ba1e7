//! The status of the documents and their origin.

use std::time::Instant;

use aralez_proto::document::{DocumentFault, DocumentSet, Place};
use aralez_proto::hash::Digest;

use crate::core::commit::{CommitOrigin, Rejected};
use crate::core::hold::Held;

/// The result of reading the set of files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FilesReading {
    /// The complete set; `None` if it cannot be determined now, so that the active configuration stays.
    pub documents: Option<DocumentSet>,
    /// The reasons why the set cannot be determined.
    pub faults: Vec<DocumentFault>,
    /// Warnings about a set that is complete, for example a deleted file whose text stays in use.
    pub warnings: Vec<DocumentFault>,
    /// Documents whose last text is still in the set although their files are gone in a way that looks like an accident: the whole folder,
    /// or several files at the same time. They stay until the files are back or an operator releases them.
    pub gone: Vec<String>,
    /// Number of files that have been open for writing for so long that their last text is used instead.
    pub writing: usize,
}

/// The state of the documents, for `status` and `/v1`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceStatus {
    /// The origin of the head's documents; `None` before the first commit.
    pub head_origin: Option<CommitOrigin>,
    /// The hash of the set of files that was read last; `None` before the first.
    pub files_hash: Option<Digest>,
    /// Reasons why the current files are not the active configuration. Empty if there are none.
    pub faults: Vec<DocumentFault>,
    /// Warnings about the files.
    pub warnings: Vec<DocumentFault>,
    /// The hold on the current files; `None` if they are not held.
    pub held: Option<Held>,
    /// Number of files that are not read because they have been open for writing for more than a minute.
    pub writing: usize,
    /// Time since which this is the state.
    pub since: Instant,
}

/// State from before the start that the source of files needs.
#[derive(Clone, Debug, Default)]
pub struct KnownFiles {
    /// The documents of the files when they were last taken; empty if unknown.
    pub documents: DocumentSet,
    /// The hash of the set of files that was read last.
    pub hash: Option<Digest>,
    /// Set if there is a head, of any origin.
    pub has_head: bool,
}

/// Converts a rejection to faults of documents. Faults without a place in a document name the main document as a whole.
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
        // Held content has no faults; the hold is reported separately.
        Rejected::Held(_) => Vec::new(),
        Rejected::Conflict { .. } | Rejected::Store(_) | Rejected::Unknown(_) => {
            vec![whole(String::new(), rejected.to_string())]
        }
    }
}
