//! Commits proposals, and follows a head that another writer stored.

use std::time::Instant;

use aralez_runtime::clock;
use tracing::{error, info};

use super::Writer;
use super::build::{Built, NotBuilt, millis_since};
use super::files::files_of;
use super::report::report;
use crate::core::authored_roots::AuthoredRoots;
use crate::core::commit::{Committed, Confirmation, Proposal, Rejected};
use crate::core::dropped::{self, Dropped};
use crate::core::status::faults_of;
use crate::core::store::{NewRevision, Revision, RevisionInfo, Store, StoreError};

impl Writer {
    pub(super) fn commit(&mut self, proposal: &Proposal) -> Result<Committed, Rejected> {
        let mut documents = proposal.documents.clone();
        let committed = self.with_named_files(&mut documents, |writer, documents| {
            writer.commit_with(&Proposal {
                documents: documents.clone(),
                ..proposal.clone()
            })
        });
        match &committed {
            Ok(_) => self.update_status(|_| ()),
            Err(rejected) => {
                let origin = proposal.origin.name();
                info!(origin, "proposal refused");
                report(rejected);
            }
        }
        committed
    }

    /// Commits a proposal. If its documents name other files than it contains, nothing happened, and it may be tried again.
    pub(super) fn commit_with(&mut self, proposal: &Proposal) -> Result<Committed, NotBuilt> {
        let committed = self.commit_on_the_head(proposal);
        self.outlets
            .figures
            .send_modify(|figures| match &committed {
                Ok(committed) => figures.commits += u64::from(committed.changed),
                // Counted by the guard, once per hold; or tried again with the files.
                Err(NotBuilt::Rejected(Rejected::Held(_)) | NotBuilt::OtherFiles { .. }) => {}
                Err(NotBuilt::Rejected(_)) => figures.refused += 1,
            });
        committed
    }

    /// Retries once on the store's head if it differs from the known one, unless the proposal expects a revision.
    fn commit_on_the_head(&mut self, proposal: &Proposal) -> Result<Committed, NotBuilt> {
        // If the store cannot be read, the following steps report it.
        let _ = self.follow_store();
        let committed = self.try_commit(proposal);
        let Err(NotBuilt::Rejected(Rejected::Conflict { .. })) = &committed else {
            return committed;
        };
        let moved = self.follow_store().unwrap_or_default();
        match moved && proposal.expect.is_none() {
            true => self.try_commit(proposal),
            false => committed,
        }
    }

    fn try_commit(&mut self, proposal: &Proposal) -> Result<Committed, NotBuilt> {
        let head = self.head_revision();
        if let Some(expected) = proposal.expect.filter(|expected| *expected != head) {
            return Err(Rejected::Conflict { expected, head }.into());
        }
        let hash = proposal.documents.content_hash();
        // If the head could not be read, there are no views of it, and its own content is worth another attempt.
        let serves = self.unread.is_none();
        let same = self
            .head
            .as_ref()
            .is_some_and(|head| head.content_hash == hash);
        if same && serves {
            return Ok(self.take_unchanged(proposal)?);
        }
        let built = self.build_exactly(&proposal.documents)?;
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

    /// Returns the hosts that a change drops because its set lacks their documents; empty for edited files.
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

    /// Handles the unchanged content of the head: no revision, but the files are remembered, and the main file is written if requested.
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

    /// Adopts a head of the store that this writer does not know: a commit with an unknown outcome, or one of another writer. Returns
    /// whether there was one.
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
            "found a head in the store that was not committed or not acknowledged here"
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

    /// Marks the head as unreadable: the previous views stay in service.
    pub(super) fn cannot_read(&mut self, revision: u64, rejected: Rejected) {
        error!(
            revision,
            "head of the ledger is invalid with this release and these settings; nodes keep their configuration until the next commit"
        );
        report(&rejected);
        self.update_status(|status| status.faults = faults_of(&rejected));
        self.unread = Some(rejected);
    }

    fn publish(&mut self, info: RevisionInfo, built: Built, commit_ms: u64) -> Committed {
        let Built {
            layers,
            views,
            named: _,
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
        self.publish_views(views, &committed.touched);
        self.end_hold();
        if self.unread.take().is_some() {
            // These were the faults of the previous head.
            self.update_status(|status| status.faults.clear());
        }
        committed
    }
}

/// Returns the head with its documents, if there is one.
pub(super) fn head_of(store: &dyn Store) -> Result<Option<Revision>, StoreError> {
    match store.head()? {
        Some(info) => store.read(info.revision),
        None => Ok(None),
    }
}
