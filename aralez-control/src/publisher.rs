//! The single writer: it turns proposals into revisions, one after the other, and publishes the views of the head.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::document::Rules;
use tokio::sync::watch;

use crate::core::commit::{Committed, Proposal, Rejected};
use crate::core::status::{KnownFiles, Reading, SourceStatus};
use crate::core::store::{ClusterId, FilesRead, MainFile, RevisionInfo, Store, StoreError};
use crate::core::views::Views;

/// What a publisher works with.
pub struct Parts {
    /// Where revisions are kept.
    pub store: Box<dyn Store>,
    /// Where `?save` writes; `None` where no `upstreams_conf` is configured.
    pub main_file: Option<Box<dyn MainFile>>,
    /// What the reader of documents must know.
    pub rules: Rules,
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

/// Counters and timings of the publisher. Times are of the last commit.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommitFigures {
    /// Revisions made since the start.
    pub commits: u64,
    /// Proposals refused since the start, conflicts included.
    pub refused: u64,
    /// Reading the documents, in milliseconds.
    pub parse_ms: u64,
    /// Building the views, in milliseconds.
    pub lower_ms: u64,
    /// Writing the ledger, in milliseconds.
    pub commit_ms: u64,
}

/// A handle to the publisher; copies are the same publisher.
#[derive(Clone, Debug)]
pub struct Publisher {
    cluster_id: ClusterId,
    views: watch::Sender<Arc<Views>>,
    status: watch::Sender<Arc<SourceStatus>>,
}

impl Publisher {
    /// Opens the head of the store and builds its views.
    ///
    /// # Errors
    /// Where the head cannot be read.
    pub fn open(parts: Parts) -> Result<Self, StoreError> {
        let _ = parts.rules;
        Ok(Self {
            cluster_id: parts.store.cluster_id(),
            views: watch::Sender::default(),
            status: watch::Sender::new(Arc::new(SourceStatus {
                head_origin: None,
                files_hash: None,
                faults: Vec::new(),
                warnings: Vec::new(),
                since: Instant::now(),
            })),
        })
    }

    /// Makes a proposal the head, or says why not. Goes on to the end even where the caller stops waiting.
    ///
    /// # Errors
    /// See [`Rejected`]; nothing was changed then.
    pub async fn commit(&self, proposal: Proposal) -> Result<Committed, Rejected> {
        let _ = proposal;
        Err(Rejected::Store("not built yet".to_owned()))
    }

    /// Takes what a look at the files came to: the same set as last time changes nothing, another one is a commit.
    pub async fn take_reading(&self, reading: Arc<Reading>) {
        let _ = reading;
    }

    /// Takes every reading, in order, until the source ends. The newest wins where several came meanwhile.
    pub async fn follow(&self, mut readings: watch::Receiver<Option<Arc<Reading>>>) {
        loop {
            let reading = readings.borrow_and_update().clone();
            if let Some(reading) = reading {
                self.take_reading(reading).await;
            }
            if readings.changed().await.is_err() {
                return;
            }
        }
    }

    /// The views of the head, and of every later one.
    pub fn views(&self) -> watch::Receiver<Arc<Views>> {
        self.views.subscribe()
    }

    /// The state of the documents.
    pub fn source_status(&self) -> watch::Receiver<Arc<SourceStatus>> {
        self.status.subscribe()
    }

    /// The name of the fleet.
    pub const fn cluster_id(&self) -> ClusterId {
        self.cluster_id
    }

    /// The head; `None` before the first commit.
    pub fn head(&self) -> Option<RevisionInfo> {
        None
    }

    /// What the source of files begins from.
    pub fn known_files(&self) -> KnownFiles {
        KnownFiles::default()
    }

    /// Counters and timings, for metrics.
    pub fn figures(&self) -> CommitFigures {
        let _ = FilesRead {
            hash: aralez_proto::hash::Digest::default(),
            refused: false,
        };
        CommitFigures::default()
    }
}
