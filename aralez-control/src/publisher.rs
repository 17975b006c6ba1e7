//! The single writer: it turns proposals into revisions, one after the other, and publishes the views of the head.
//!
//! Reading a large set of documents takes a while, so all work is done off the runtime's threads, and who waits for nothing but the views
//! is never held up. It does **not** know how documents are found, kept or sent: it meets files and ledger through `core::store`.

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
    Backup, ClusterId, FilesOnDisk, MainFile, NodeChanges, RevisionInfo, Store, StoreError,
};
use crate::core::views::Views;
pub use checkpoint::CHECKPOINT;
use recall::Earlier;
pub use sources::Following;
use writer::Writer;

#[cfg(test)]
mod tests;

/// How long a set of files waits that could not be written to the ledger.
const RETRY: Duration = Duration::from_secs(5);
/// How often the ledger is read again until it is known whether a write is durable.
const RESOLVE: Duration = Duration::from_secs(1);
/// How long a history that was begun or restored may go above the generations that nodes hold.
pub const SETTLING: Duration = Duration::from_mins(10);

/// What a publisher works with.
pub struct PublisherParts {
    /// Where revisions are kept.
    pub store: Box<dyn Store>,
    /// Where `?save` writes; `None` where no `upstreams_conf` is configured.
    pub main_file: Option<Box<dyn MainFile>>,
    /// Who is told of every change of the views, before it can be seen.
    pub heads: Arc<dyn Heads>,
    /// What `sources take` reads; `None` where no `upstreams_conf` is configured.
    pub files: Option<Box<dyn FilesOnDisk>>,
    /// What sources found before, as the checkpoint has it.
    pub discovered: Discovered,
    /// What the reader of documents must know.
    pub surroundings: Surroundings,
    /// How long edited files that remove most hosts or most of a pool are held.
    pub hold: Duration,
    /// How long nodes may raise the generation of a history that was begun or restored: [`SETTLING`].
    pub settling: Duration,
}

impl std::fmt::Debug for PublisherParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("surroundings", &self.surroundings)
            .finish_non_exhaustive()
    }
}

/// Counters and timings of the publisher. Times are of the last commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CommitFigures {
    /// Revisions made since the start.
    pub commits: u64,
    /// Proposals refused since the start, conflicts included.
    pub refused: u64,
    /// Changes held for a second look since the start.
    pub held: u64,
    /// Reading the documents, in milliseconds.
    pub parse_ms: u64,
    /// Building the views, in milliseconds.
    pub lower_ms: u64,
    /// Writing the ledger, in milliseconds.
    pub commit_ms: u64,
}

/// What the writer tells everyone else.
#[derive(Clone, Debug)]
struct Outlets {
    views: watch::Sender<Arc<Views>>,
    status: watch::Sender<Arc<SourceStatus>>,
    head: watch::Sender<Option<RevisionInfo>>,
    figures: watch::Sender<CommitFigures>,
    sources: watch::Sender<SourceStates>,
    wanted: watch::Sender<Wanted>,
}

/// A handle to the publisher; copies are the same publisher.
#[derive(Clone, Debug)]
pub struct Publisher {
    cluster_id: ClusterId,
    outlets: Outlets,
    writer: Arc<Mutex<Writer>>,
    known_files: Arc<KnownFiles>,
    earlier: Arc<Earlier>,
}

impl Publisher {
    /// Opens the head of the store and builds its views. A head that this release or these rules refuse is told in the status; it
    /// stays the head, and the views stay at revision 0 until the next commit.
    ///
    /// # Errors
    /// Where the store cannot be read.
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

    /// Makes a proposal the head: [`Publisher::apply`] for documents.
    ///
    /// # Errors
    /// As there.
    pub async fn commit(&self, proposal: Proposal) -> Result<Committed, Rejected> {
        self.apply(Change::Documents(proposal)).await
    }

    /// Makes a change, or says why not. Changes wait for each other, so a proposal without an expectation is never in conflict.
    /// Once begun, a change goes on to its end even where the caller stops waiting.
    ///
    /// # Errors
    /// See [`Rejected`]; nothing was changed then, or nobody knows yet.
    pub async fn apply(&self, change: Change) -> Result<Committed, Rejected> {
        let committed = self.work(move |writer| writer.apply(&change));
        let committed = committed.await.unwrap_or_else(Err);
        if matches!(committed, Err(Rejected::Unknown(_))) {
            let publisher = self.clone();
            tokio::spawn(async move { publisher.resolve().await });
        }
        committed
    }

    /// Reads the store until it is known what is durable, and publishes what turns out to be the head.
    async fn resolve(&self) {
        loop {
            tokio::time::sleep(RESOLVE).await;
            let followed = self.work(|writer| writer.follow_store()).await;
            match followed.and_then(|followed| followed) {
                Ok(_) => return,
                Err(error) => warn!(%error, "whether the last commit is durable is not known yet"),
            }
        }
    }

    /// Whether what nodes are to run is at least `held`, which a node of this cluster holds: where it is not, because this history was begun
    /// or restored a short while ago, it goes on in a generation above it.
    pub async fn go_above(&self, held: Version) -> bool {
        let above = self.work(move |writer| writer.go_above(held)).await;
        let above = above.and_then(|above| above);
        above.unwrap_or_else(|error| {
            warn!(%error, "cannot go above the generation that a node holds");
            false
        })
    }

    /// Ends the time in which nodes may raise the generation, once it is over.
    pub async fn settle(&self) {
        let Some(end) = self.writer.lock().await.settles_at() else {
            return;
        };
        tokio::time::sleep_until(end.into()).await;
        while let Err(error) = self.work(Writer::settle).await.and_then(|settled| settled) {
            warn!(%error, "cannot note that the generation is settled");
            tokio::time::sleep(SETTLING).await;
        }
    }

    /// A consistent copy of everything that is durable.
    ///
    /// # Errors
    /// Where it cannot be read, or there is no room for the copy.
    pub async fn backup(&self) -> Result<Backup, Rejected> {
        self.work(Writer::backup).await.and_then(|backup| backup)
    }

    /// Takes what a look at the files came to: the same set as last time changes nothing, another one is a commit, unless it takes away
    /// so much that it is held; then this is when to come back with it.
    ///
    /// # Errors
    /// Where the ledger could not be written, so that it is worth another attempt. Faults of the files are told in the status.
    pub async fn take_reading(
        &self,
        reading: Arc<FilesReading>,
    ) -> Result<Option<Instant>, Rejected> {
        self.work(move |writer| writer.take_reading(&reading))
            .await
            .unwrap_or_else(Err)
    }

    /// Commits the set of files that is held, at once; `None` where none is. Where `shown` is given, only the hold of this id is
    /// released.
    ///
    /// # Errors
    /// [`Rejected::Held`] where another hold than `shown` is current; see [`Rejected`] for the rest.
    pub async fn release(&self, shown: Option<HoldId>) -> Result<Option<Committed>, Rejected> {
        self.work(move |writer| writer.release_held(shown))
            .await
            .unwrap_or_else(Err)
    }

    /// Commits the set of files as it is on disk now, also where it was refused before or replaced by a push.
    ///
    /// # Errors
    /// See [`Rejected`]; nothing was changed then.
    pub async fn take_files(&self, take: TakeFiles) -> Result<Committed, Rejected> {
        self.work(move |writer| writer.take_from_disk(take))
            .await
            .unwrap_or_else(Err)
    }

    /// Takes every reading until the source ends. The newest wins where several came meanwhile.
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

    /// Writes nodes and forgets others.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub async fn write_nodes(&self, changes: NodeChanges) -> Result<(), Rejected> {
        let written = self.work(move |writer| writer.write_nodes(&changes));
        let written = written.await?;
        written.map_err(|error| Rejected::Store(error.to_string()))
    }

    /// The views of the head, and of every later one.
    pub fn views(&self) -> watch::Receiver<Arc<Views>> {
        self.outlets.views.subscribe()
    }

    /// The state of the documents.
    pub fn source_status(&self) -> watch::Receiver<Arc<SourceStatus>> {
        self.outlets.status.subscribe()
    }

    /// The name of the fleet.
    pub const fn cluster_id(&self) -> ClusterId {
        self.cluster_id
    }

    /// The head; `None` before the first commit.
    pub fn head(&self) -> Option<RevisionInfo> {
        self.outlets.head.borrow().clone()
    }

    /// What the source of files begins from.
    pub fn known_files(&self) -> KnownFiles {
        KnownFiles::clone(&self.known_files)
    }

    /// Counters and timings, for metrics.
    pub fn figures(&self) -> CommitFigures {
        *self.outlets.figures.borrow()
    }

    /// Runs one piece of work as the only writer, on a thread that may take its time.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Result<T, Rejected> {
        let mut writer = Arc::clone(&self.writer).lock_owned().await;
        let done = tokio::task::spawn_blocking(move || work(&mut writer)).await;
        done.map_err(|_| Rejected::Store("a defect of control ended the commit".to_owned()))
    }
}
