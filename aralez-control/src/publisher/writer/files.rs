//! The set of files as a proposal: when it is one, and what is remembered of it.

use aralez_proto::document::DocumentSet;
use tracing::info;

use super::report::{self, report};
use super::{Writer, main_of};
use crate::core::commit::{CommitOrigin, Proposal, Rejected};
use crate::core::status::{KnownFiles, Reading, faults_of};
use crate::core::store::{FilesRead, Revision, RevisionInfo};

impl Writer {
    pub(in super::super) fn take_reading(&mut self, reading: &Reading) -> Result<(), Rejected> {
        if self.outlets.status.borrow().warnings != reading.warnings {
            report::each(&reading.warnings);
        }
        let Some(documents) = &reading.documents else {
            report::each(&reading.faults);
            self.tell(|status| {
                status.faults.clone_from(&reading.faults);
                status.warnings.clone_from(&reading.warnings);
            });
            return Ok(());
        };
        let rejected = self.take_files(documents).err();
        let faults = rejected.as_ref().map(faults_of).unwrap_or_default();
        self.tell(|status| {
            status.faults = faults;
            status.warnings.clone_from(&reading.warnings);
        });
        match rejected {
            Some(rejected @ (Rejected::Store(_) | Rejected::Conflict { .. })) => Err(rejected),
            Some(_) | None => Ok(()),
        }
    }

    /// Commits a set of files unless it is the one that was read last.
    fn take_files(&mut self, documents: &DocumentSet) -> Result<(), Rejected> {
        let known = self.store.files_read();
        let known = known.map_err(|error| Rejected::Store(error.to_string()))?;
        let hash = documents.content_hash();
        self.files = Some(documents.clone());
        if let Some(known) = known.filter(|known| known.hash == hash) {
            let from_files = |head: &RevisionInfo| head.origin == CommitOrigin::File;
            if !known.refused {
                // Nothing new, but where the head itself does not read, that is still to be told.
                return self.unread.clone().map_or(Ok(()), Err);
            }
            // Refused before: its faults are told again, but a push that came since stays, even where nothing is wrong any more.
            if self.head.as_ref().is_some_and(|head| !from_files(head)) {
                return self.build(documents, self.head_revision()).map(drop);
            }
        }
        let proposal = Proposal {
            documents: documents.clone(),
            origin: CommitOrigin::File,
            message: String::new(),
            expect: None,
            save: false,
        };
        let read = |refused| FilesRead { hash, refused };
        let outcome = self.commit_with(&proposal, Some(read(false)));
        let Err(rejected) = outcome else {
            return Ok(());
        };
        info!("the set of files is refused; what serves stays");
        report(&rejected);
        if matches!(rejected, Rejected::Documents(_) | Rejected::Snapshot(_)) {
            self.remember(Some(read(true)))?;
        }
        Err(rejected)
    }

    /// The set of files as the source will find it once the main document is written.
    pub(super) fn files_after_save(&self, proposal: &Proposal) -> FilesRead {
        let kept = self.files.iter().flat_map(DocumentSet::documents);
        let kept = kept.filter(|(name, _)| *name != DocumentSet::MAIN);
        let saved = main_of(&proposal.documents);
        let set = kept.map(|(name, text)| (name.clone(), text.clone()));
        let set: DocumentSet = set.chain([(DocumentSet::MAIN.to_owned(), saved)]).collect();
        FilesRead {
            hash: set.content_hash(),
            refused: false,
        }
    }
}

/// What the source may take for the text of files that it cannot read now.
pub(super) fn known(head: Option<Revision>, files: Option<FilesRead>) -> KnownFiles {
    let hash = files.map(|files| files.hash);
    let has_head = head.is_some();
    let taken = head.filter(|head| {
        head.info.origin == CommitOrigin::File || hash == Some(head.info.content_hash)
    });
    KnownFiles {
        documents: taken.map(|head| head.documents).unwrap_or_default(),
        hash,
        has_head,
    }
}
