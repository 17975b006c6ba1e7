//! Moves endpoints that sources found into the discovered layer and to the nodes. Never writes the ledger.

use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::model::{Endpoint, PoolName};
use tokio::sync::watch;
use tracing::error;

use super::Publisher;
use crate::core::change::{Batch, Change};
use crate::core::commit::LeftOut;
use crate::core::discovery::PendingFindings;
use crate::core::layers::Discovered;

/// Findings that sources reported and that are not consumed yet. The newest finding for a pool replaces an older one, so that memory is
/// bounded by the number of pools even if the writer is slow.
#[derive(Clone, Debug)]
pub(super) struct Reported {
    waiting: Newest,
    /// Wakes the consumer. Dropping the last copy signals that the last source is gone.
    bell: watch::Sender<()>,
}

type Newest = Arc<Mutex<BTreeMap<PoolName, Vec<Endpoint>>>>;

/// The receiving end.
#[derive(Debug)]
pub(super) struct Taken {
    waiting: Newest,
    bell: watch::Receiver<()>,
}

impl Reported {
    /// Returns both ends of a new queue.
    pub(super) fn channel() -> (Self, Taken) {
        let (bell, rings) = watch::channel(());
        let waiting = Newest::default();
        let taken = Taken {
            waiting: Arc::clone(&waiting),
            bell: rings,
        };
        (Self { waiting, bell }, taken)
    }

    pub(super) fn put(&self, pool: PoolName, endpoints: Vec<Endpoint>) {
        let mut waiting = self.waiting.lock();
        waiting.insert(pool, endpoints);
        drop(waiting);
        self.bell.send_replace(());
    }
}

impl Taken {
    /// Waits for reports and returns those since the last call; `None` if there are no sources any more.
    async fn next(&mut self) -> Option<BTreeMap<PoolName, Vec<Endpoint>>> {
        let rings = self.bell.changed().await;
        let mut waiting = self.waiting.lock();
        let taken = std::mem::take(&mut *waiting);
        (rings.is_ok() || !taken.is_empty()).then_some(taken)
    }
}

/// All findings, and those not published yet.
struct Discovery {
    all: Discovered,
    changed: BTreeSet<PoolName>,
    waiting: PendingFindings,
    /// The pools whose faulty finding was logged already and is not applied.
    left_out: BTreeSet<PoolName>,
}

impl Discovery {
    fn from(known: Discovered) -> Self {
        Self {
            all: known,
            changed: BTreeSet::new(),
            waiting: PendingFindings::default(),
            left_out: BTreeSet::new(),
        }
    }

    fn take(&mut self, pool: PoolName, endpoints: Vec<Endpoint>) {
        if let Some(urgency) = self.all.answered(&pool, endpoints) {
            self.waiting.changed(urgency, Instant::now());
            self.left_out.remove(&pool);
            self.changed.insert(pool);
        }
    }

    /// Returns the changed pools with their current endpoints.
    fn batch(&self) -> Batch {
        let found = |pool: &PoolName| Some((pool.clone(), Arc::clone(self.all.endpoints(pool)?)));
        Batch {
            pools: self.changed.iter().filter_map(found).collect(),
        }
    }

    /// Logs faulty pools once, and marks them for a retry with the next change.
    fn leave_out(&mut self, left_out: Vec<LeftOut>) {
        for LeftOut { pool, faults } in left_out {
            if self.left_out.insert(pool.clone()) {
                let faults = faults.iter().map(ToString::to_string);
                let faults = faults.collect::<Vec<_>>().join("; ");
                error!(%pool, %faults, "endpoints that a source found for a pool are faulty: the pool keeps its previous endpoints");
            }
            self.changed.insert(pool);
        }
    }
}

impl Publisher {
    /// Publishes findings until there are no sources any more: removals immediately, other changes batched. Must run at most once; the last
    /// reported findings stay published after it returns.
    pub(super) async fn follow_discovered(&self, mut found: Taken) {
        let mut discovery = Discovery::from(self.discovered().await);
        loop {
            let due = discovery.waiting.due();
            tokio::select! {
                biased;
                () = at(due) => self.publish(&mut discovery).await,
                next = found.next() => match next {
                    Some(found) => found
                        .into_iter()
                        .for_each(|(pool, endpoints)| discovery.take(pool, endpoints)),
                    None => break,
                },
            }
        }
        if discovery.waiting.due().is_some() {
            self.publish(&mut discovery).await;
        }
    }

    /// Returns all endpoints that sources found and that are in the views, or will be with the first commit.
    pub async fn discovered(&self) -> Discovered {
        let discovered = self.work(|writer| writer.discovered().clone()).await;
        discovered.unwrap_or_default()
    }

    async fn publish(&self, discovery: &mut Discovery) {
        let batch = discovery.batch();
        let tried = std::mem::take(&mut discovery.changed);
        // Stamped before the work: a slow publish must not delay removals further.
        discovery.waiting.published(Instant::now());
        match self.apply(Change::Discovered(batch)).await {
            Ok(committed) => discovery.leave_out(committed.left_out),
            Err(rejected) => {
                error!(%rejected, "discovered endpoints not published; retrying with the next change");
                discovery.changed.extend(tried);
            }
        }
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
