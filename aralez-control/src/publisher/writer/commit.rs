//! From a proposal to the head, and after whatever else became the head of the store.

use std::time::Instant;

use aralez_runtime::clock;
use tracing::{error, info};

use super::Writer;
use super::build::{Built, millis_since};
use super::files::files_of;
use super::report::report;
use crate::core::authored_roots::AuthoredRoots;
use crate::core::commit::{Committed, Confirmation, Proposal, Rejected};
use crate::core::dropped::{self, Dropped};
use crate::core::status::faults_of;
use crate::core::store::{NewRevision, Revision, RevisionInfo, Store, StoreError};

impl Writer {
    pub(super) fn commit(&mut self, proposal: &Proposal) -> Result<Committed, Rejected> {
        let committed = self.commit_with(proposal);
        match &committed {
            Ok(_) => self.tell(|_| ()),
            Err(rejected) => {
                let origin = proposal.origin.name();
                info!(origin, "refused a proposal");
                report(rejected);
            }
        }
        committed
    }

    pub(super) fn commit_with(&mut self, proposal: &Proposal) -> Result<Committed, Rejected> {
        let committed = self.commit_on_the_head(proposal);
        self.outlets
            .figures
            .send_modify(|figures| match &committed {
                Ok(committed) => figures.commits += u64::from(committed.changed),
                // Counted where it is seen first.
                Err(Rejected::Held(_)) => {}
                Err(_) => figures.refused += 1,
            });
        committed
    }

    /// Tries again on the head of the store where that is another one than was known, unless the proposal expects a revision.
    fn commit_on_the_head(&mut self, proposal: &Proposal) -> Result<Committed, Rejected> {
        // Where the store cannot be read, what follows says so.
        let _ = self.follow_store();
        let committed = self.try_commit(proposal);
        let Err(Rejected::Conflict { .. }) = &committed else {
            return committed;
        };
        let moved = self.follow_store().unwrap_or_default();
        match moved && proposal.expect.is_none() {
            true => self.try_commit(proposal),
            false => committed,
        }
    }

    fn try_commit(&mut self, proposal: &Proposal) -> Result<Committed, Rejected> {
        let head = self.head_revision();
        if let Some(expected) = proposal.expect.filter(|expected| *expected != head) {
            return Err(Rejected::Conflict { expected, head });
        }
        let hash = proposal.documents.content_hash();
        // Where the head did not read, there are no views of it, and its own content is worth another attempt.
        let serves = self.unread.is_none();
        let same = self
            .head
            .as_ref()
            .is_some_and(|head| head.content_hash == hash);
        if same && serves {
            return self.take_unchanged(proposal);
        }
        let built = self.build(&proposal.documents, head + 1)?;
        let dropped = self.dropped(proposal, &built);
        self.guard(proposal, hash, &built.views, &dropped)?;
        let saving = self.plan_save(proposal, head + 1)?;
        let begun = Instant::now();
        let roots = AuthoredRoots::of(&built.views);
        let new = NewRevision {
            parent: head,
            unix_ms: clock::unix_ms(),
            origin: &proposal.origin,
            message: &proposal.message,
            documents: &proposal.documents,
            roots: &roots,
            files: files_of(proposal).or_else(|| self.files_passed_over(proposal)),
            saving,
        };
        let info = self.store.commit(new).map_err(|error| match error {
            StoreError::Conflict { head: found } => Rejected::Conflict {
                expected: head,
                head: found,
            },
            StoreError::Failed(reason) => Rejected::Store(reason),
            StoreError::Unknown(reason) => Rejected::Unknown(reason),
        })?;
        let mut committed = self.publish(info, built, millis_since(begun));
        committed.saved = self.save(&proposal.documents, saving);
        committed.dropped = dropped;
        Ok(committed)
    }

    /// What a change that somebody asked for drops without naming it.
    fn dropped(&self, proposal: &Proposal, built: &Built) -> Vec<Dropped> {
        if proposal.confirmation == Confirmation::ByTime {
            return Vec::new();
        }
        dropped::dropped(
            &self.layers.authored,
            &built.layers.authored,
            &proposal.documents,
        )
    }

    /// The content of the head once more: there is no revision, but the files are remembered, and the main one is written if asked.
    fn take_unchanged(&mut self, proposal: &Proposal) -> Result<Committed, Rejected> {
        let saving = self.plan_save(proposal, self.head_revision())?;
        if let Some(saving) = saving {
            let begun = self.store.save_begins(saving);
            begun.map_err(|error| Rejected::Store(error.to_string()))?;
        }
        self.remember(files_of(proposal))?;
        let saved = self.save(&proposal.documents, saving);
        let version = self.outlets.views.borrow().version();
        Ok(Committed {
            warnings: self.layers.authored.warnings.clone(),
            saved,
            ..Committed::nothing(version)
        })
    }

    /// Makes what became the head of the store without this writer knowing the head here as well: a commit of which the outcome was not
    /// known, or that of another writer. Whether there was one.
    pub(in super::super) fn follow_store(&mut self) -> Result<bool, Rejected> {
        let failed = |error: StoreError| Rejected::Store(error.to_string());
        self.store.refresh().map_err(failed)?;
        self.follow_operational()?;
        let head = self.store.head().map_err(failed)?;
        let Some(head) = head.filter(|head| self.head.as_ref() != Some(head)) else {
            return Ok(false);
        };
        let Some(head) = self.store.read(head.revision).map_err(failed)? else {
            return Ok(false);
        };
        info!(
            revision = head.info.revision,
            "the store has a head that was not committed or not answered here"
        );
        match self.build_in(&head.documents, (head.info.generation, head.info.revision)) {
            Ok(built) => {
                self.publish(head.info.clone(), built, 0);
            }
            Err(rejected) => {
                self.head = Some(head.info.clone());
                self.outlets.head.send_replace(Some(head.info.clone()));
                self.cannot_read(head.info.revision, rejected);
            }
        }
        self.redo_save(&head);
        Ok(true)
    }

    /// The head gives no views: what serves stays.
    pub(super) fn cannot_read(&mut self, revision: u64, rejected: Rejected) {
        error!(
            revision,
            "the head of the ledger does not read with this release and these settings; nodes keep what they have until the next commit"
        );
        report(&rejected);
        self.tell(|status| status.faults = faults_of(&rejected));
        self.unread = Some(rejected);
    }

    fn publish(&mut self, info: RevisionInfo, built: Built, commit_ms: u64) -> Committed {
        let Built {
            layers,
            views,
            parse_ms,
            lower_ms,
        } = built;
        let committed = Committed {
            changed: true,
            touched: views.touched_since(&self.outlets.views.borrow()),
            warnings: layers.authored.warnings.clone(),
            ..Committed::nothing(views.version())
        };
        let hosts = &layers.authored.hosts;
        let routes: usize = hosts.iter().map(|host| host.host.routes.len()).sum();
        info!(
            revision = info.revision, origin = info.origin.name(), hosts = hosts.len(), routes,
            touched = %committed.touched, parse_ms, lower_ms, commit_ms, "committed"
        );
        self.outlets.figures.send_modify(|figures| {
            (figures.parse_ms, figures.lower_ms, figures.commit_ms) =
                (parse_ms, lower_ms, commit_ms);
        });
        self.take_layers(layers);
        self.head = Some(info.clone());
        self.outlets.head.send_replace(Some(info));
        self.show(views, &committed.touched);
        self.end_hold();
        if self.unread.take().is_some() {
            // They were those of the head before.
            self.tell(|status| status.faults.clear());
        }
        committed
    }
}

/// The head with its documents, where there is one.
pub(super) fn head_of(store: &dyn Store) -> Result<Option<Revision>, StoreError> {
    match store.head()? {
        Some(info) => store.read(info.revision),
        None => Ok(None),
    }
}
