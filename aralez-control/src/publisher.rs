//! The single writer: it turns proposals into revisions, one after the other, and publishes the views of the head.
//!
//! Reading a large set of documents takes a while, so all work runs off the runtime's threads, and readers of the views never block. The
//! publisher does **not** know how documents are found, stored or sent: it accesses files and ledger through `core::store`.

mod checkpoint;
mod discovered;
mod recall;
mod sources;
mod writer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::document::Surroundings;
use aralez_proto::version::Version;
use tokio::sync::{Mutex, watch};
use tracing::warn;

use crate::core::change::Change;
use crate::core::commit::{Committed, Proposal, Rejected, TakeFiles};
use crate::core::heads::Heads;
use crate::core::hold::HoldId;
use crate::core::layers::Discovered;
use crate::core::source::{SourceStates, Wanted};
use crate::core::status::{FilesReading, KnownFiles, SourceStatus};
use crate::core::store::{
    Backup, ClusterId, FilesOnDisk, MainFile, NodeChanges, Revision, RevisionInfo, Store,
    StoreError,
};
use crate::core::views::Views;
pub use checkpoint::CHECKPOINT;
use recall::Earlier;
pub use sources::Following;
use writer::Writer;

#[cfg(test)]
mod tests;

/// Delay before a set of files that could not be written to the ledger is retried.
const RETRY: Duration = Duration::from_secs(5);
/// Interval at which the ledger is read again until the outcome of a write is known.
const RESOLVE: Duration = Duration::from_secs(1);
/// Time in which a new or restored history may move above the generations that nodes hold.
pub const SETTLING: Duration = Duration::from_mins(10);

/// The dependencies of a publisher.
pub struct PublisherParts {
    /// Store of the revisions.
    pub store: Box<dyn Store>,
    /// Target of `?save`; `None` if no `upstreams_conf` is configured.
    pub main_file: Option<Box<dyn MainFile>>,
    /// Notified of every change of the views before it becomes visible.
    pub heads: Arc<dyn Heads>,
    /// Files read by `sources take`; `None` if no `upstreams_conf` is configured.
    pub files: Option<Box<dyn FilesOnDisk>>,
    /// Endpoints that sources found earlier, from the checkpoint.
    pub discovered: Discovered,
    /// Context for parsing documents.
    pub surroundings: Surroundings,
    /// Time that edited files are held if they remove most hosts or most of a pool.
    pub hold: Duration,
    /// Time in which nodes may raise the generation of a new or restored history: [`SETTLING`].
    pub settling: Duration,
}

impl std::fmt::Debug for PublisherParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublisherParts")
            .field("surroundings", &self.surroundings)
            .finish_non_exhaustive()
    }
}

/// Counters and timings of the publisher. Times are of the last commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CommitFigures {
    /// Revisions committed since the start.
    pub commits: u64,
    /// Proposals refused since the start, conflicts included.
    pub refused: u64,
    /// Changes held for confirmation since the start.
    pub held: u64,
    /// Time spent parsing the documents, in milliseconds.
    pub parse_ms: u64,
    /// Time spent building the views, in milliseconds.
    pub lower_ms: u64,
    /// Time spent writing the ledger, in milliseconds.
    pub commit_ms: u64,
}

/// Channels on which the writer publishes its state.
#[derive(Clone, Debug)]
struct Outlets {
    views: watch::Sender<Arc<Views>>,
    status: watch::Sender<Arc<SourceStatus>>,
    head: watch::Sender<Option<RevisionInfo>>,
    figures: watch::Sender<CommitFigures>,
    sources: watch::Sender<SourceStates>,
    wanted: watch::Sender<Wanted>,
}

/// A handle to the publisher; clones refer to the same publisher.
#[derive(Clone, Debug)]
pub struct Publisher {
    cluster_id: ClusterId,
    outlets: Outlets,
    writer: Arc<Mutex<Writer>>,
    known_files: Arc<KnownFiles>,
    earlier: Arc<Earlier>,
}

impl Publisher {
    /// Opens the head of the store and builds its views. A head that this release or these rules refuse is reported in the status; it stays
    /// the head, and the views stay at revision 0 until the next commit.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn open(parts: PublisherParts) -> Result<Self, StoreError> {
        let cluster_id = parts.store.cluster_id();
        let (writer, known_files) = Writer::open(parts)?;
        Ok(Self {
            cluster_id,
            outlets: writer.outlets().clone(),
            writer: Arc::new(Mutex::new(writer)),
            known_files: Arc::new(known_files),
            earlier: Arc::default(),
        })
    }

    /// Commits a proposal as the new head: [`Publisher::apply`] for documents.
    ///
    /// # Errors
    /// See [`Publisher::apply`].
    pub async fn commit(&self, proposal: Proposal) -> Result<Committed, Rejected> {
        self.apply(Change::Documents(proposal)).await
    }

    /// Applies a change, or returns why it was rejected. Changes are serialized, so a proposal without an expectation never conflicts. A
    /// change that has begun runs to completion even if the caller is cancelled.
    ///
    /// # Errors
    /// See [`Rejected`]; nothing was changed then, or the outcome is not known yet.
    pub async fn apply(&self, change: Change) -> Result<Committed, Rejected> {
        let committed = self.work(move |writer| writer.apply(&change));
        let committed = committed.await.unwrap_or_else(Err);
        if matches!(committed, Err(Rejected::Unknown(_))) {
            let publisher = self.clone();
            tokio::spawn(async move { publisher.resolve().await });
        }
        committed
    }

    /// Reads the store until its durable state is known, and publishes the resulting head.
    async fn resolve(&self) {
        loop {
            tokio::time::sleep(RESOLVE).await;
            let followed = self.work(|writer| writer.follow_store()).await;
            match followed.and_then(|followed| followed) {
                Ok(_) => return,
                Err(error) => warn!(%error, "outcome of the last commit is still unknown"),
            }
        }
    }

    /// Raises the generation above `held`, which a node of this cluster holds, if this history was begun or restored recently and is
    /// older than `held`. Returns whether the version is at least `held` now.
    pub async fn go_above(&self, held: Version) -> bool {
        let above = self.work(move |writer| writer.go_above(held)).await;
        let above = above.and_then(|above| above);
        above.unwrap_or_else(|error| {
            warn!(%error, "cannot move above the generation that a node holds");
            false
        })
    }

    /// Ends the time in which nodes may raise the generation, once it has elapsed.
    pub async fn settle(&self) {
        let Some(end) = self.writer.lock().await.settles_at() else {
            return;
        };
        tokio::time::sleep_until(end.into()).await;
        while let Err(error) = self.work(Writer::settle).await.and_then(|settled| settled) {
            warn!(%error, "cannot record that the generation is settled");
            tokio::time::sleep(SETTLING).await;
        }
    }

    /// Returns a consistent copy of everything that is durable.
    ///
    /// # Errors
    /// If it cannot be read, or there is no disk space for the copy.
    pub async fn backup(&self) -> Result<Backup, Rejected> {
        self.work(Writer::backup).await.and_then(|backup| backup)
    }

    /// Returns a revision with its documents; `None` if there is no such revision.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn revision(&self, revision: u64) -> Result<Option<Revision>, Rejected> {
        let read = self.work(move |writer| writer.revision(revision)).await??;
        Ok(read.map(|(info, documents, _)| Revision { info, documents }))
    }

    /// Processes a reading of the files: the same set as last time changes nothing, another set is committed, unless it removes so much
    /// that it is held. Returns the time at which a held reading must be passed again.
    ///
    /// # Errors
    /// If the ledger could not be written, so that a retry may help. Faults of the files are reported in the status.
    pub async fn take_reading(
        &self,
        reading: Arc<FilesReading>,
    ) -> Result<Option<Instant>, Rejected> {
        self.work(move |writer| writer.take_reading(&reading))
            .await
            .unwrap_or_else(Err)
    }

    /// Commits the held set of files immediately; `None` if no set is held. If `shown` is given, releases only the hold of this id.
    ///
    /// # Errors
    /// [`Rejected::Held`] if another hold than `shown` is current; see [`Rejected`] for the rest.
    pub async fn release(&self, shown: Option<HoldId>) -> Result<Option<Committed>, Rejected> {
        self.work(move |writer| writer.release_held(shown))
            .await
            .unwrap_or_else(Err)
    }

    /// Commits the set of files that is on disk now, even if it was refused before or replaced by a push.
    ///
    /// # Errors
    /// See [`Rejected`]; nothing was changed then.
    pub async fn take_files(&self, take: TakeFiles) -> Result<Committed, Rejected> {
        self.work(move |writer| writer.take_from_disk(&take))
            .await
            .unwrap_or_else(Err)
    }

    /// Processes readings until the source is gone. If several arrived in the meantime, only the newest is processed.
    async fn follow_files(&self, mut readings: watch::Receiver<Option<Arc<FilesReading>>>) {
        loop {
            let reading = readings.borrow_and_update().clone();
            let taken = match reading {
                Some(reading) => self.take_reading(reading).await,
                None => Ok(None),
            };
            let again = match taken {
                Ok(None) => None,
                Ok(Some(until)) => Some(until),
                Err(_) => Some(Instant::now() + RETRY),
            };
            let changed = match again {
                None => readings.changed().await,
                Some(at) => tokio::time::timeout_at(at.into(), readings.changed())
                    .await
                    .unwrap_or(Ok(())),
            };
            if changed.is_err() {
                return;
            }
        }
    }

    /// Writes and removes nodes.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn write_nodes(&self, changes: NodeChanges) -> Result<(), Rejected> {
        let written = self.work(move |writer| writer.write_nodes(&changes));
        let written = written.await?;
        written.map_err(|error| Rejected::Store(error.to_string()))
    }

    /// Subscribes to the views of the head.
    pub fn views(&self) -> watch::Receiver<Arc<Views>> {
        self.outlets.views.subscribe()
    }

    /// Subscribes to the state of the documents.
    pub fn source_status(&self) -> watch::Receiver<Arc<SourceStatus>> {
        self.outlets.status.subscribe()
    }

    /// Returns the identity of the fleet.
    pub const fn cluster_id(&self) -> ClusterId {
        self.cluster_id
    }

    /// Returns the head; `None` before the first commit.
    pub fn head(&self) -> Option<RevisionInfo> {
        self.outlets.head.borrow().clone()
    }

    /// Returns the files that the file source starts from.
    pub fn known_files(&self) -> KnownFiles {
        KnownFiles::clone(&self.known_files)
    }

    /// Returns counters and timings, for metrics.
    pub fn figures(&self) -> CommitFigures {
        *self.outlets.figures.borrow()
    }

    /// Runs one piece of work with exclusive access to the writer, on a blocking thread.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, Rejected> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let done = tokio::task::spawn_blocking(move || work(&mut writer)).await;
        done.map_err(|_| Rejected::Store("internal error: the writer task failed".to_owned()))
    }
}
