//! The guard against mass removal, between building the views and writing the revision.

use std::time::Instant;

use aralez_proto::hash::Digest;
use tracing::warn;

use super::Writer;
use crate::core::commit::{CommitOrigin, Committed, Confirmation, Proposal, Rejected};
use crate::core::dropped::Dropped;
use crate::core::hold::{Files, Held, HoldId};
use crate::core::loss;
use crate::core::store::FilesRead;
use crate::core::views::Views;

impl Writer {
    /// Holds a change that removes most hosts or most of a pool, unless it is confirmed.
    pub(super) fn guard(
        &mut self,
        proposal: &Proposal,
        content: Digest,
        next: &Views,
        dropped: &[Dropped],
    ) -> Result<(), Rejected> {
        let losses = loss::losses(&self.outlets.views.borrow(), next);
        let now = Instant::now();
        let held = match proposal.confirmation {
            Confirmation::Force => return Ok(()),
            Confirmation::ByTime => {
                let emptied = loss::empties(&self.outlets.views.borrow(), next);
                let deleted = self.files.lacks_some(&proposal.documents);
                let files = Files {
                    content,
                    losses,
                    by_time: !emptied && !deleted,
                };
                self.holds.files(now, files)
            }
            Confirmation::Missing => self.holds.push(now, content, losses, None),
            Confirmation::Held(id) => self.holds.push(now, content, losses, Some(id)),
        };
        let Some(held) = held else {
            return Ok(());
        };
        if held.since == now {
            self.outlets
                .figures
                .send_modify(|figures| figures.held += 1);
            if proposal.confirmation == Confirmation::ByTime {
                warn_of(&held, now);
            }
        }
        Err(Rejected::Held(Held {
            dropped: dropped.to_vec(),
            ..held
        }))
    }

    /// Returns the held files when a push becomes the head: the push is newer, so they are not committed later.
    pub(super) fn files_passed_over(&self, proposal: &Proposal) -> Option<FilesRead> {
        let hash = self.holds.held_files()?;
        let pushed = proposal.origin == CommitOrigin::Api;
        pushed.then_some(FilesRead {
            hash,
            refused: true,
        })
    }

    /// Ends the hold of files for their losses once there is another head. Files that are gone remain held.
    pub(super) fn end_hold(&mut self) {
        self.holds.files_are(None);
        let held = self.files.gone_held();
        self.update_status(|status| status.held = held);
    }

    /// Commits the files that are held, without those that are gone; `None` if none are held.
    pub(in super::super) fn release_held(
        &mut self,
        shown: Option<HoldId>,
    ) -> Result<Option<Committed>, Rejected> {
        let held = self.outlets.status.borrow().held.clone();
        let Some((held, mut files)) = held.zip(self.files.on_disk()) else {
            return Ok(None);
        };
        if shown.is_some_and(|shown| shown != held.id) {
            return Err(Rejected::Held(held));
        }
        let taken = self.with_named_files(&mut files, |writer, files| {
            writer.take_files(files, Confirmation::Force)
        });
        match &taken {
            // A set that could not be written stays held, and is retried.
            Err(Rejected::Store(_) | Rejected::Unknown(_) | Rejected::Conflict { .. }) => {}
            _ => {
                self.files.release_gone();
                self.publish_files_status(taken.as_ref().err());
            }
        }
        taken
    }
}

fn warn_of(held: &Held, now: Instant) {
    let seconds = held
        .until
        .map(|until| until.saturating_duration_since(now).as_secs());
    let until = match seconds {
        Some(seconds) => format!("it is committed after {seconds} s without changes, or now by"),
        None => "it is committed only by".to_owned(),
    };
    warn!(
        "set of files held for confirmation, configuration unchanged: it {held}; {until} `aralez-ctl sources release {}`",
        held.id
    );
}
