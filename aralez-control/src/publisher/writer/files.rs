//! The set of files as a proposal: when it is one, and what is remembered of it.

use std::time::Instant;

use aralez_proto::document::DocumentSet;
use tracing::info;

use super::Writer;
use super::report::{self, report};
use crate::core::commit::{CommitOrigin, Committed, Proposal, Rejected};
use crate::core::status::{KnownFiles, Reading, faults_of};
use crate::core::store::{FilesRead, Revision, RevisionInfo};

impl Writer {
    pub(in super::super) fn take_reading(
        &mut self,
        reading: &Reading,
    ) -> Result<Option<Instant>, Rejected> {
        if self.outlets.status.borrow().warnings != reading.warnings {
            report::each(&reading.warnings);
        }
        let content = reading.documents.as_ref().map(DocumentSet::content_hash);
        self.holds.files_are(content);
        let Some(documents) = &reading.documents else {
            report::each(&reading.faults);
            self.tell(|status| {
                status.faults.clone_from(&reading.faults);
                status.warnings.clone_from(&reading.warnings);
                status.held = None;
            });
            return Ok(None);
        };
        let rejected = self.take_files(documents, false).err();
        self.tell_of_files(rejected.as_ref());
        self.tell(|status| status.warnings.clone_from(&reading.warnings));
        match rejected {
            Some(
                rejected @ (Rejected::Store(_) | Rejected::Unknown(_) | Rejected::Conflict { .. }),
            ) => Err(rejected),
            Some(Rejected::Held(held)) => Ok(Some(held.until)),
            Some(_) | None => Ok(None),
        }
    }

    /// Tells why the files as they are now are not what serves, if so.
    pub(super) fn tell_of_files(&self, rejected: Option<&Rejected>) {
        let faults = rejected.map(faults_of).unwrap_or_default();
        let held = match rejected {
            Some(Rejected::Held(held)) => Some(held.clone()),
            _ => None,
        };
        self.tell(|status| {
            status.faults = faults;
            status.held = held;
        });
    }

    /// Commits a set of files unless it is the one that was read last; what came of it where there was something to commit.
    pub(super) fn take_files(
        &mut self,
        documents: &DocumentSet,
        force: bool,
    ) -> Result<Option<Committed>, Rejected> {
        let known = self.store.files_read();
        let known = known.map_err(|error| Rejected::Store(error.to_string()))?;
        let hash = documents.content_hash();
        self.files = Some(documents.clone());
        if let Some(saving) = self
            .store
            .pending_save()
            .filter(|saving| saving.after == hash)
        {
            // What the writer saved itself, of which it could not be noted that it was.
            let read = FilesRead {
                hash: saving.after,
                refused: false,
            };
            let ended = self.store.save_ended(Some(read));
            ended.map_err(|error| Rejected::Store(error.to_string()))?;
            return Ok(None);
        }
        if let Some(known) = known.filter(|known| known.hash == hash) {
            let from_files = |head: &RevisionInfo| head.origin == CommitOrigin::File;
            if !known.refused {
                // Nothing new, but where the head itself does not read, that is still to be told.
                return self.unread.clone().map_or(Ok(None), Err);
            }
            // Refused before: its faults are told again, but a push that came since stays, even where nothing is wrong any more.
            if self.head.as_ref().is_some_and(|head| !from_files(head)) {
                return self.build(documents, self.head_revision()).map(|_| None);
            }
        }
        let proposal = Proposal {
            documents: documents.clone(),
            origin: CommitOrigin::File,
            message: String::new(),
            expect: None,
            save: false,
            force,
        };
        let read = |refused| FilesRead { hash, refused };
        let outcome = self.commit_with(&proposal, Some(read(false)));
        let rejected = match outcome {
            Ok(committed) => return Ok(Some(committed)),
            Err(held @ Rejected::Held(_)) => return Err(held),
            Err(rejected) => rejected,
        };
        info!("the set of files is refused; what serves stays");
        report(&rejected);
        if matches!(rejected, Rejected::Documents(_) | Rejected::Snapshot(_)) {
            self.remember(Some(read(true)))?;
        }
        Err(rejected)
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
