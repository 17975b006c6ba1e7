//! The set of files as a proposal: when it is committed, and what is remembered of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::document::{DocumentFaults, DocumentSet};
use aralez_proto::model::RelativePath;
use tracing::{info, warn};

use super::Writer;
use super::build::NotBuilt;
use super::report::{self, report};
use crate::core::commit::{CommitOrigin, Committed, Confirmation, Proposal, Rejected, TakeFiles};
use crate::core::hold::{Held, HoldId};
use crate::core::status::{FilesReading, KnownFiles, faults_of};
use crate::core::store::{FilesRead, Revision, RevisionInfo};

/// The writer's state of the set of files.
#[derive(Debug, Default)]
pub(super) struct FileSet {
    /// The set that the source reported last, including the kept text of files that are gone; `None` before the first.
    now: Option<DocumentSet>,
    /// The names of the set that was committed last; `None` if unknown.
    taken: Option<BTreeSet<String>>,
    /// The hold for files that are gone as a whole.
    gone: Option<Held>,
    /// Files whose removal an operator confirmed, for as long as the source still keeps them.
    released: BTreeSet<String>,
    /// The files that the documents of the set name.
    wanted: Arc<BTreeSet<RelativePath>>,
}

impl FileSet {
    /// Initializes the state with the files committed before the start.
    pub(super) fn begin(&mut self, known: &KnownFiles) {
        let names = names_of(&known.documents);
        self.taken = (!names.is_empty() || !known.has_head).then_some(names);
    }

    /// Returns the files that the documents of the set name.
    pub(super) const fn wanted(&self) -> &Arc<BTreeSet<RelativePath>> {
        &self.wanted
    }

    /// Sets the files that the documents of the set name.
    pub(super) fn want(&mut self, named: Arc<BTreeSet<RelativePath>>) {
        self.wanted = named;
    }

    /// Returns the set that the source reported last; `None` before the first.
    pub(super) const fn now(&self) -> Option<&DocumentSet> {
        self.now.as_ref()
    }

    /// Reports whether a set lacks a file of the last committed set, or that set is unknown.
    pub(super) fn lacks_some(&self, documents: &DocumentSet) -> bool {
        let lacks = |name: &String| !documents.documents().contains_key(name);
        self.taken
            .as_ref()
            .is_none_or(|taken| taken.iter().any(lacks))
    }

    /// Returns the hold for files that are gone; `None` if there is none.
    pub(super) fn gone_held(&self) -> Option<Held> {
        self.gone.clone()
    }

    /// Returns the set without the kept text of files that are gone.
    pub(super) fn on_disk(&self) -> Option<DocumentSet> {
        let gone = self.gone.as_ref().map(|held| held.gone.as_slice());
        let set = self.now.as_ref()?;
        Some(set.without(gone.unwrap_or_default()))
    }

    /// Records an operator's consent to the removal of the files that are gone.
    pub(super) fn release_gone(&mut self) {
        self.now = self.on_disk();
        let gone = self.gone.take().map(|held| held.gone);
        self.released.extend(gone.unwrap_or_default());
    }

    /// Returns a reading without the files whose removal an operator confirmed.
    fn released(&mut self, reading: &FilesReading) -> FilesReading {
        self.released.retain(|name| reading.gone.contains(name));
        let released: Vec<String> = self.released.iter().cloned().collect();
        let kept = |name: &&String| !released.contains(name);
        FilesReading {
            documents: reading.documents.as_ref().map(|set| set.without(&released)),
            gone: reading.gone.iter().filter(kept).cloned().collect(),
            ..reading.clone()
        }
    }

    /// Holds files that are gone, or ends such a hold. Returns whether a hold begins.
    fn hold_gone(&mut self, gone: &[String], next_id: impl FnOnce() -> HoldId) -> bool {
        let before = self.gone.take().filter(|held| held.gone == gone);
        let begins = before.is_none() && !gone.is_empty();
        self.gone = before.or_else(|| {
            begins.then(|| Held {
                id: next_id(),
                losses: Vec::new(),
                gone: gone.to_vec(),
                dropped: Vec::new(),
                since: Instant::now(),
                until: None,
            })
        });
        begins
    }
}

fn names_of(documents: &DocumentSet) -> BTreeSet<String> {
    documents.documents().keys().cloned().collect()
}

impl Writer {
    pub(in super::super) fn take_reading(
        &mut self,
        reading: &FilesReading,
    ) -> Result<Option<Instant>, Rejected> {
        let reading = &self.files.released(reading);
        if self.outlets.status.borrow().warnings != reading.warnings {
            report::each(&reading.warnings);
        }
        let content = reading.documents.as_ref().map(DocumentSet::content_hash);
        self.holds.files_are(content);
        self.hold_gone(&reading.gone);
        let Some(documents) = &reading.documents else {
            report::each(&reading.faults);
            let held = self.files.gone_held();
            self.update_status(|status| {
                status.faults.clone_from(&reading.faults);
                status.warnings.clone_from(&reading.warnings);
                status.writing = reading.writing;
                status.held = held;
            });
            return Ok(None);
        };
        let Some(taken) = self.take_found(documents) else {
            return Ok(None);
        };
        let rejected = taken.err();
        self.publish_files_status(rejected.as_ref());
        self.update_status(|status| {
            status.warnings.clone_from(&reading.warnings);
            status.writing = reading.writing;
        });
        match rejected {
            Some(
                rejected @ (Rejected::Store(_) | Rejected::Unknown(_) | Rejected::Conflict { .. }),
            ) => Err(rejected),
            Some(Rejected::Held(held)) => Ok(held.until),
            Some(_) | None => Ok(None),
        }
    }

    fn hold_gone(&mut self, gone: &[String]) {
        let Self { files, holds, .. } = self;
        if files.hold_gone(gone, || holds.next_id()) {
            self.outlets
                .figures
                .send_modify(|figures| figures.held += 1);
            let id = self.files.gone_held().map(|held| held.id.to_string());
            warn!(
                "files gone as a whole: {}; their last content stays in use until they are back, or until `aralez-ctl sources release {}`",
                gone.join(", "),
                id.unwrap_or_default()
            );
        }
    }

    /// Publishes in the status why the current files are not in use, if so.
    pub(super) fn publish_files_status(&self, rejected: Option<&Rejected>) {
        let faults = rejected.map(faults_of).unwrap_or_default();
        let gone = self.files.gone_held();
        let held = match (rejected, gone) {
            // Released together: the set on disk has both losses.
            (Some(Rejected::Held(held)), Some(gone)) => Some(Held {
                gone: gone.gone,
                until: None,
                ..held.clone()
            }),
            (Some(Rejected::Held(held)), None) => Some(held.clone()),
            (_, gone) => gone,
        };
        self.update_status(|status| {
            status.faults = faults;
            status.held = held;
        });
    }

    /// Commits a set of files unless it is the one that was read last. Returns the result if there was something to commit.
    pub(super) fn take_files(
        &mut self,
        documents: &DocumentSet,
        confirmation: Confirmation,
    ) -> Result<Option<Committed>, NotBuilt> {
        let hash = documents.content_hash();
        if confirmation == Confirmation::ByTime {
            self.files.now = Some(documents.clone());
        }
        if let Some(saving) = self
            .store
            .pending_save()
            .filter(|saving| saving.after == hash)
        {
            // The writer saved this set itself, but could not record that the save ended.
            let read = FilesRead {
                hash: saving.after,
                refused: false,
            };
            let ended = self.store.save_ended(Some(read));
            ended.map_err(|error| Rejected::Store(error.to_string()))?;
            return Ok(None);
        }
        let known = self.store.files_read();
        if let Some(known) = known.filter(|known| known.hash == hash) {
            let from_files = |head: &RevisionInfo| head.origin == CommitOrigin::File;
            if !known.refused {
                self.files.taken = Some(names_of(documents));
                // Nothing new, but a head that cannot be read is still reported.
                return self
                    .unread
                    .clone()
                    .map_or(Ok(None), |unread| Err(unread.into()));
            }
            // Refused before: its faults are reported again, but a push committed since stays, even if the files are valid by now.
            if self.head.as_ref().is_some_and(|head| !from_files(head)) {
                let built = self.build_exactly(documents)?;
                self.want_files(built.named);
                return Ok(None);
            }
        }
        let proposal = Proposal {
            documents: documents.clone(),
            origin: CommitOrigin::File,
            message: String::new(),
            expect: None,
            save: false,
            confirmation,
        };
        self.commit_files(&proposal).map(Some)
    }

    /// Commits the set of files on disk, even if it was refused before, or replaced by a push.
    pub(in super::super) fn take_from_disk(
        &mut self,
        take: &TakeFiles,
    ) -> Result<Committed, Rejected> {
        let Some(files) = &self.on_disk else {
            return Err(Rejected::Store(
                "there are no files: upstreams_conf is not set".to_owned(),
            ));
        };
        let mut documents = files
            .read()
            .map_err(|faults| Rejected::Documents(DocumentFaults(faults)))?;
        let committed = self.with_named_files(&mut documents, |writer, documents| {
            writer.commit_files(&Proposal {
                documents: documents.clone(),
                origin: CommitOrigin::File,
                message: take.message.clone(),
                expect: None,
                save: false,
                confirmation: take.confirmation,
            })
        })?;
        self.files.release_gone();
        self.files.now = Some(documents);
        self.publish_files_status(None);
        Ok(committed)
    }

    pub(super) fn remember(&mut self, files: Option<FilesRead>) -> Result<(), Rejected> {
        match files.filter(|files| self.store.files_read() != Some(*files)) {
            Some(files) => self
                .store
                .remember_files(files)
                .map_err(|error| Rejected::Store(error.to_string())),
            None => Ok(()),
        }
    }

    fn commit_files(&mut self, proposal: &Proposal) -> Result<Committed, NotBuilt> {
        let rejected = match self.commit_with(proposal) {
            Ok(committed) => {
                self.files.taken = Some(names_of(&proposal.documents));
                let named = proposal.documents.files().paths();
                self.want_files(named.cloned().collect());
                return Ok(committed);
            }
            Err(NotBuilt::Rejected(Rejected::Held(held))) => {
                return Err(Rejected::Held(held).into());
            }
            Err(NotBuilt::Rejected(rejected)) => rejected,
            Err(other @ NotBuilt::OtherFiles { .. }) => return Err(other),
        };
        info!("set of files refused; the running configuration stays");
        report(&rejected);
        if matches!(rejected, Rejected::Documents(_) | Rejected::Snapshot(_)) {
            let refused = FilesRead {
                hash: proposal.documents.content_hash(),
                refused: true,
            };
            self.remember(Some(refused))?;
        }
        Err(rejected.into())
    }
}

/// Returns the set of files to remember with a proposal's commit; `None` if the proposal does not come from files.
pub(super) fn files_of(proposal: &Proposal) -> Option<FilesRead> {
    let from_files = proposal.origin == CommitOrigin::File;
    from_files.then(|| FilesRead {
        hash: proposal.documents.content_hash(),
        refused: false,
    })
}

/// Returns the texts that the source may use for files that it cannot read now.
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
