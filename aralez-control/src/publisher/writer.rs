//! The publisher's work as the only writer. Blocking.

mod apply;
mod build;
mod commit;
mod discovered;
mod files;
mod generation;
mod named_files;
mod nodes;
mod operational;
mod removal_guard;
mod report;
mod save;

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::document::{DocumentSet, Surroundings};
use aralez_runtime::random;
use tokio::sync::watch;
use tracing::info;

use super::{Outlets, PublisherParts};
use crate::core::commit::Rejected;
use crate::core::heads::Heads;
use crate::core::hold::Holds;
use crate::core::layers::{Discovered, Layers};
use crate::core::source::Wanted;
use crate::core::status::{KnownFiles, SourceStatus};
use crate::core::store::{
    Backup, FilesOnDisk, MainFile, Revision, RevisionInfo, Store, StoreError,
};
use crate::core::touched::TouchedGroups;
use crate::core::views::Views;
pub(super) use build::Basis;
use build::{Built, NotBuilt};
use files::FileSet;
use generation::Settling;
pub(super) use report::report;

pub(super) struct Writer {
    store: Box<dyn Store>,
    heads: Arc<dyn Heads>,
    main_file: Option<Box<dyn MainFile>>,
    on_disk: Option<Box<dyn FilesOnDisk>>,
    surroundings: Surroundings,
    layers: Layers,
    head: Option<RevisionInfo>,
    files: FileSet,
    /// Reason why the current head has no views; `None` if it has views.
    unread: Option<Rejected>,
    holds: Holds,
    settling: Settling,
    outlets: Outlets,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer")
            .field("head", &self.head)
            .finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn open(parts: PublisherParts) -> Result<(Self, KnownFiles), StoreError> {
        let head = commit::head_of(parts.store.as_ref())?;
        let info = head.as_ref().map(|head| head.info.clone());
        let files = parts.store.files_read();
        let operational = parts.store.operational()?;
        let status = SourceStatus {
            head_origin: info.as_ref().map(|info| info.origin.clone()),
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
                sources: watch::Sender::default(),
                wanted: watch::Sender::default(),
            },
            settling: Settling::of(parts.store.as_ref(), parts.settling),
            store: parts.store,
            heads: parts.heads,
            main_file: parts.main_file,
            on_disk: parts.files,
            surroundings: parts.surroundings,
            layers: Layers {
                operational,
                discovered: parts.discovered,
                ..Layers::default()
            },
            head: info,
            files: FileSet::default(),
            unread: None,
            holds: Holds::new(parts.hold, random::bytes()),
        };
        writer.load(head.as_ref())?;
        writer.update_status(|_| ());
        let known = files::known(head, writer.store.files_read());
        writer.files.begin(&known);
        writer.want_files(known.documents.files().paths().cloned().collect());
        Ok((writer, known))
    }

    pub(super) const fn outlets(&self) -> &Outlets {
        &self.outlets
    }

    /// Builds the views of the head found at the start, and completes a pending save. Without a head, the views still carry the new
    /// generation: a node that holds an earlier one is not ahead.
    fn load(&mut self, head: Option<&Revision>) -> Result<(), StoreError> {
        let begun = Views::begun(self.store.generation());
        self.outlets.views.send_replace(Arc::new(begun));
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
                report::other_roots(&head.info, &built.views);
                self.take_layers(built.layers);
                // The state before the start is unknown: the proof waits for every node.
                self.publish_views(built.views, &TouchedGroups::default());
            }
            Err(Rejected::Store(reason)) => return Err(StoreError::Failed(reason)),
            Err(rejected) => self.cannot_read(head.info.revision, rejected),
        }
        self.redo_save(head);
        Ok(())
    }

    /// Reads a revision of the store, together with the basis for its views.
    pub(super) fn revision(
        &self,
        revision: u64,
    ) -> Result<Option<(RevisionInfo, DocumentSet, Basis)>, Rejected> {
        let read = self.store.read(revision);
        let read = read.map_err(|error| Rejected::Store(error.to_string()))?;
        Ok(read.map(|read| (read.info, read.documents, self.basis())))
    }

    pub(super) fn backup(&mut self) -> Result<Backup, Rejected> {
        let backup = self.store.backup();
        backup.map_err(|error| Rejected::Store(error.to_string()))
    }

    /// Returns the current inputs for building views.
    fn basis(&self) -> Basis {
        Basis {
            surroundings: self.surroundings.clone(),
            layers: self.layers.clone(),
            before: Arc::clone(&self.outlets.views.borrow()),
        }
    }

    /// Parses documents and builds their views as `revision`.
    fn build(&self, documents: &DocumentSet, revision: u64) -> Result<Built, Rejected> {
        self.build_in(documents, (self.store.generation(), revision))
    }

    fn build_in(&self, documents: &DocumentSet, number: (u64, u64)) -> Result<Built, Rejected> {
        let built = self.basis().build(documents, number);
        built.map_err(NotBuilt::into_rejected)
    }

    /// Returns the discovered endpoints without faults.
    pub(super) const fn discovered(&self) -> &Discovered {
        &self.layers.discovered
    }

    /// Returns the discovered endpoints that a restart begins with. Drops pools that no document has any more, but only if the documents
    /// are known.
    pub(super) fn worth_keeping(&self) -> Discovered {
        if self.outlets.views.borrow().version().revision == 0 {
            return self.layers.discovered.clone();
        }
        let mut kept = Discovered::default();
        for pool in self.wanted().pools() {
            kept.set(pool, self.layers.discovered.endpoints(pool).cloned());
        }
        kept
    }

    /// Adopts the layers of a new head, and announces to sources the pools to find.
    fn take_layers(&mut self, layers: Layers) {
        self.layers = layers;
        self.outlets.wanted.send_replace(self.wanted());
    }

    fn wanted(&self) -> Wanted {
        let authored = Arc::clone(&self.layers.authored);
        Wanted::by(authored, Arc::clone(self.files.wanted()))
    }

    /// Publishes these views. Notifies `heads` first, so that no session is ahead of the fleet.
    fn publish_views(&self, views: Views, touched: &TouchedGroups) {
        let before = Arc::clone(&self.outlets.views.borrow());
        self.heads.advanced(&before, &views, touched);
        self.outlets.views.send_replace(Arc::new(views));
    }

    fn head_revision(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.revision)
    }

    /// Changes the status, and publishes it if it differs from the previous one.
    fn update_status(&self, change: impl FnOnce(&mut SourceStatus)) {
        let files = self.store.files_read();
        self.outlets.status.send_if_modified(|status| {
            let mut next = SourceStatus::clone(status);
            next.head_origin = self.head.as_ref().map(|head| head.origin.clone());
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
