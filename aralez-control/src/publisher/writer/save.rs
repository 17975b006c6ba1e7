//! `?save`: writes the main document to its file, after its commit.
//!
//! The commit records that a save follows (`PendingSave`), then the file is replaced, then the record is cleared. A push is therefore never
//! refused after its file was replaced, and a save interrupted by a crash is completed at the next start.

use aralez_proto::document::{self, DocumentSet};
use aralez_proto::hash::Digest;
use tracing::{info, warn};

use super::{Writer, main_of};
use crate::core::commit::{Proposal, Rejected, Saved};
use crate::core::store::{FilesRead, PendingSave, Revision};

impl Writer {
    /// Plans the save that follows the commit of a proposal as `revision`; `None` if the proposal does not ask for one.
    pub(super) fn plan_save(
        &self,
        proposal: &Proposal,
        revision: u64,
    ) -> Result<Option<PendingSave>, Rejected> {
        if !proposal.save {
            return Ok(None);
        }
        let Some(file) = &self.main_file else {
            return Err(Rejected::Store(
                "cannot save: upstreams_conf is not set".to_owned(),
            ));
        };
        Ok(Some(PendingSave {
            revision,
            before: file.text().map(|text| hash_of(&text)),
            after: self.files_after_save(&proposal.documents),
        }))
    }

    /// Performs the save that is recorded in the store.
    pub(super) fn save(&mut self, documents: &DocumentSet, saving: Option<PendingSave>) -> Saved {
        let (Some(saving), Some(file)) = (saving, &self.main_file) else {
            return Saved::NotAsked;
        };
        let written = file.save(&main_of(documents));
        let files = written.is_ok().then_some(FilesRead {
            hash: saving.after,
            refused: false,
        });
        if let Err(error) = self.store.save_ended(files) {
            warn!(%error, "cannot record that a save ended; the next start checks it again");
        }
        match written {
            Ok(()) => Saved::Written,
            Err(reason) => {
                warn!(revision = saving.revision, %reason, "pushed configuration is in use, but its file was not written");
                Saved::Failed(reason)
            }
        }
    }

    /// Completes an interrupted save of the head, unless the file was edited since.
    pub(super) fn redo_save(&mut self, head: &Revision) {
        let Some(saving) = self.store.pending_save() else {
            return;
        };
        if self.main_file.is_none() {
            return self.end_save(None);
        }
        let revision = saving.revision;
        let text = main_of(&head.documents);
        let now = self.main_file.as_ref().and_then(|file| file.text());
        let now = now.map(|text| hash_of(&text));
        if revision == head.info.revision && now == Some(hash_of(&text)) {
            let files = FilesRead {
                hash: saving.after,
                refused: false,
            };
            self.end_save(Some(files));
        } else if revision == head.info.revision && now == saving.before {
            let saved = self.save(&head.documents, Some(saving));
            info!(revision, ?saved, "completed an interrupted save");
        } else {
            info!(
                revision,
                "interrupted save dropped: the file was edited since"
            );
            self.end_save(None);
        }
    }

    fn end_save(&mut self, files: Option<FilesRead>) {
        if let Err(error) = self.store.save_ended(files) {
            warn!(%error, "cannot record that a save ended");
        }
    }

    /// Returns the hash of the set of files as the source will read it once the main document is written.
    fn files_after_save(&self, documents: &DocumentSet) -> Digest {
        let kept = self
            .files
            .now()
            .into_iter()
            .flat_map(DocumentSet::documents);
        let kept = kept.filter(|(name, _)| *name != DocumentSet::MAIN);
        let set = kept.map(|(name, text)| (name.clone(), text.clone()));
        let saved = (DocumentSet::MAIN.to_owned(), main_of(documents));
        let set: DocumentSet = set.chain([saved]).collect();
        let files = self.files.now().map(|now| now.files().clone());
        let files = files.unwrap_or_default().merged(documents.files().clone());
        if files.is_empty() {
            return set.content_hash();
        }
        let named = document::named_files(&set);
        set.with_files(files.only(&named)).content_hash()
    }
}

fn hash_of(text: &[u8]) -> Digest {
    Digest::of_fields(&[text])
}
