//! What the publisher does while it is the only writer. Blocking.

mod discovered;
mod files;
mod recall;
mod report;
mod second_look;

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::document::{self, Authored, DocumentSet, Rules};
use aralez_proto::version::Version;
use aralez_runtime::{clock, random};
use tokio::sync::watch;
use tracing::{error, info};

use super::{Outlets, Parts};
use crate::core::commit::{Committed, Confirmation, Proposal, Rejected, TouchedGroups};
use crate::core::dropped::{self, Dropped};
use crate::core::hold::Holds;
use crate::core::layers::Layers;
use crate::core::status::{KnownFiles, SourceStatus, faults_of};
use crate::core::store::{
    FilesOnDisk, FilesRead, MainFile, NewRevision, Revision, RevisionInfo, Store, StoreError,
};
use crate::core::views::Views;
use files::FileSet;
use recall::Earlier;
use report::report;

pub(super) struct Writer {
    store: Box<dyn Store>,
    main_file: Option<Box<dyn MainFile>>,
    on_disk: Option<Box<dyn FilesOnDisk>>,
    rules: Rules,
    layers: Layers,
    head: Option<RevisionInfo>,
    files: FileSet,
    /// Why the head that was found at the start gives no views; `None` where there are views of the head.
    unread: Option<Rejected>,
    holds: Holds,
    earlier: Earlier,
    outlets: Outlets,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

/// Documents that read well, and the views that they come to.
struct Built {
    layers: Layers,
    views: Views,
    parse_ms: u64,
    lower_ms: u64,
}

impl Writer {
    pub(super) fn open(parts: Parts) -> Result<(Self, KnownFiles), StoreError> {
        let info = parts.store.head()?;
        let head = match &info {
            Some(info) => parts.store.read(info.revision)?,
            None => None,
        };
        let files = parts.store.files_read()?;
        let status = SourceStatus {
            head_origin: info.as_ref().map(|info| info.origin),
            files_hash: files.map(|files| files.hash),
            faults: Vec::new(),
            warnings: Vec::new(),
            held: None,
            writing: 0,
            since: Instant::now(),
        };
        let mut writer = Self {
            outlets: Outlets {
                views: watch::Sender::default(),
                status: watch::Sender::new(Arc::new(status)),
                head: watch::Sender::new(info.clone()),
                figures: watch::Sender::default(),
            },
            store: parts.store,
            main_file: parts.main_file,
            on_disk: parts.files,
            rules: parts.rules,
            layers: Layers::default(),
            head: info,
            files: FileSet::default(),
            unread: None,
            holds: Holds::new(parts.hold, random::bytes()),
            earlier: Earlier::default(),
        };
        writer.load(head.as_ref())?;
        let known = files::known(head, files);
        writer.files.begin(&known);
        Ok((writer, known))
    }

    pub(super) const fn outlets(&self) -> &Outlets {
        &self.outlets
    }

    /// Builds the views of the head that was found at the start.
    fn load(&mut self, head: Option<&Revision>) -> Result<(), StoreError> {
        let Some(head) = head else {
            return Ok(());
        };
        match self.build(&head.documents, head.info.revision) {
            Ok(built) => {
                info!(
                    revision = head.info.revision,
                    origin = head.info.origin.name(),
                    hosts = built.layers.authored.hosts.len(),
                    "opened the head of the ledger"
                );
                self.layers = built.layers;
                self.outlets.views.send_replace(Arc::new(built.views));
                Ok(())
            }
            Err(Rejected::Store(reason)) => Err(StoreError::Failed(reason)),
            Err(rejected) => {
                let revision = head.info.revision;
                error!(
                    revision,
                    "the head of the ledger does not read with this release and these settings; nodes keep what they have until the next commit"
                );
                report(&rejected);
                self.tell(|status| status.faults = faults_of(&rejected));
                self.unread = Some(rejected);
                Ok(())
            }
        }
    }

    /// Reads documents and builds the views that they would come to as `revision`.
    fn build(&self, documents: &DocumentSet, revision: u64) -> Result<Built, Rejected> {
        let begun = Instant::now();
        let authored: Authored =
            document::read(documents, &self.rules).map_err(Rejected::Documents)?;
        let parse_ms = millis_since(begun);
        let begun = Instant::now();
        let layers = Layers {
            authored: Arc::new(authored),
            ..self.layers.clone()
        };
        let before = Arc::clone(&self.outlets.views.borrow());
        let version = Version {
            generation: self.store.generation(),
            revision,
            sequence: before.version().sequence,
            ..Version::default()
        };
        let views = before.next(version, &layers).map_err(Rejected::Snapshot)?;
        Ok(Built {
            layers,
            views,
            parse_ms,
            lower_ms: millis_since(begun),
        })
    }

    fn head_revision(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.revision)
    }

    pub(super) fn commit(&mut self, proposal: &Proposal) -> Result<Committed, Rejected> {
        let files = proposal.save.then(|| self.files_after_save(proposal));
        let committed = self.commit_with(proposal, files);
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

    fn commit_with(
        &mut self,
        proposal: &Proposal,
        files: Option<FilesRead>,
    ) -> Result<Committed, Rejected> {
        let committed = self.try_commit(proposal, files);
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

    fn try_commit(
        &mut self,
        proposal: &Proposal,
        files: Option<FilesRead>,
    ) -> Result<Committed, Rejected> {
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
            self.save(proposal)?;
            self.remember(files)?;
            return Ok(self.unchanged());
        }
        let built = self.build(&proposal.documents, head + 1)?;
        let dropped = self.dropped(proposal, &built);
        self.guard(proposal, hash, &built.views, &dropped)?;
        let files = files.or_else(|| self.files_passed_over(proposal));
        self.save(proposal)?;
        let begun = Instant::now();
        let new = NewRevision {
            parent: head,
            unix_ms: clock::unix_ms(),
            origin: proposal.origin,
            message: &proposal.message,
            documents: &proposal.documents,
            files,
        };
        let info = self.store.commit(new).map_err(|error| match error {
            StoreError::Conflict { head: found } => Rejected::Conflict {
                expected: head,
                head: found,
            },
            StoreError::Failed(reason) => Rejected::Store(reason),
        })?;
        let committed = self.publish(info, built, millis_since(begun));
        Ok(Committed {
            dropped,
            ..committed
        })
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

    fn save(&self, proposal: &Proposal) -> Result<(), Rejected> {
        if !proposal.save {
            return Ok(());
        }
        let Some(file) = &self.main_file else {
            return Err(Rejected::Store(
                "there is nowhere to save to: upstreams_conf is not set".to_owned(),
            ));
        };
        file.save(&main_of(&proposal.documents))
            .map_err(Rejected::Store)
    }

    fn remember(&mut self, files: Option<FilesRead>) -> Result<(), Rejected> {
        let known = self.store.files_read();
        let known = known.map_err(|error| Rejected::Store(error.to_string()))?;
        match files.filter(|files| known != Some(*files)) {
            Some(files) => self
                .store
                .remember_files(files)
                .map_err(|error| Rejected::Store(error.to_string())),
            None => Ok(()),
        }
    }

    fn unchanged(&self) -> Committed {
        Committed {
            version: self.outlets.views.borrow().version(),
            changed: false,
            touched: TouchedGroups::default(),
            warnings: self.layers.authored.warnings.clone(),
            dropped: Vec::new(),
        }
    }

    fn publish(&mut self, info: RevisionInfo, built: Built, commit_ms: u64) -> Committed {
        let Built {
            layers,
            views,
            parse_ms,
            lower_ms,
        } = built;
        let committed = Committed {
            version: views.version(),
            changed: true,
            touched: views.touched_since(&self.outlets.views.borrow()),
            warnings: layers.authored.warnings.clone(),
            dropped: Vec::new(),
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
        self.layers = layers;
        self.head = Some(info.clone());
        self.outlets.head.send_replace(Some(info));
        self.outlets.views.send_replace(Arc::new(views));
        self.end_hold();
        if self.unread.take().is_some() {
            // They were those of the head before.
            self.tell(|status| status.faults.clear());
        }
        committed
    }

    /// Changes the status, and tells it where it is another one than before.
    fn tell(&self, change: impl FnOnce(&mut SourceStatus)) {
        let files = self.store.files_read().ok().flatten();
        self.outlets.status.send_if_modified(|status| {
            let mut next = SourceStatus::clone(status);
            next.head_origin = self.head.as_ref().map(|head| head.origin);
            next.files_hash = files.map(|files| files.hash);
            change(&mut next);
            let modified = next != **status;
            if modified {
                next.since = Instant::now();
                *status = Arc::new(next);
            }
            modified
        });
    }
}

fn main_of(documents: &DocumentSet) -> bytes::Bytes {
    let main = documents.documents().get(DocumentSet::MAIN);
    main.cloned().unwrap_or_default()
}

fn millis_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}
