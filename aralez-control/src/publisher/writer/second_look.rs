//! Where the guard against mass removal stands: between what was built and what is written.

use std::time::Instant;

use aralez_proto::hash::Digest;
use tracing::warn;

use super::Writer;
use crate::core::commit::{CommitOrigin, Committed, Proposal, Rejected};
use crate::core::loss;
use crate::core::store::FilesRead;
use crate::core::views::Views;

impl Writer {
    /// Holds what takes away in bulk, unless this is the second look at it or an operator forces it.
    pub(super) fn look_twice(
        &mut self,
        proposal: &Proposal,
        content: Digest,
        next: &Views,
    ) -> Result<(), Rejected> {
        if proposal.force {
            return Ok(());
        }
        let losses = loss::losses(&self.outlets.views.borrow(), next);
        let now = Instant::now();
        let held = match proposal.origin {
            CommitOrigin::File => self.holds.files(now, content, losses),
            CommitOrigin::Api | CommitOrigin::Other(_) => self.holds.push(now, content, losses),
        };
        let Some(held) = held else {
            return Ok(());
        };
        if held.since == now {
            self.outlets
                .figures
                .send_modify(|figures| figures.held += 1);
            if proposal.origin == CommitOrigin::File {
                let seconds = held.until.saturating_duration_since(now).as_secs();
                warn!(
                    "the set of files is held for a second look, what serves stays: it {held}; it is taken if it stays as it is for {seconds} s, or at once by `aralez-ctl sources release`"
                );
            }
        }
        Err(Rejected::Held(held))
    }

    /// The files that are held while a push becomes the head: the push is the newer word, so they are not taken later.
    pub(super) fn files_passed_over(&self, proposal: &Proposal) -> Option<FilesRead> {
        let hash = self.holds.held_files()?;
        let pushed = proposal.origin == CommitOrigin::Api;
        pushed.then_some(FilesRead {
            hash,
            refused: true,
        })
    }

    /// No files are held any more once there is another head.
    pub(super) fn end_hold(&mut self) {
        self.holds.files_are(None);
        self.tell(|status| status.held = None);
    }

    /// Commits the files that are held; `None` where none are.
    pub(in super::super) fn release_held(&mut self) -> Result<Option<Committed>, Rejected> {
        let held = self.holds.held_files();
        let files = self.files.clone();
        let Some(files) = files.filter(|files| held == Some(files.content_hash())) else {
            return Ok(None);
        };
        let taken = self.take_files(&files, true);
        match &taken {
            // What could not be written stays held, and is tried again.
            Err(Rejected::Store(_) | Rejected::Unknown(_) | Rejected::Conflict { .. }) => {}
            _ => self.tell_of_files(taken.as_ref().err()),
        }
        taken
    }
}
