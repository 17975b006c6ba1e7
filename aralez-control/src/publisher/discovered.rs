//! What sources find goes into the discovered layer and out to the nodes. It never writes the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use aralez_proto::model::{Endpoint, PoolName};
use tokio::sync::watch;
use tracing::error;

use super::Publisher;
use crate::core::change::{Batch, Change};
use crate::core::commit::LeftOut;
use crate::core::discovery::PendingFindings;
use crate::core::layers::Discovered;

/// What sources reported and nobody has taken yet. The newest of each pool takes the place of an older one, so that a writer that is slow
/// costs no more room than there are pools.
#[derive(Clone, Debug)]
pub(super) struct Reported {
    waiting: Newest,
    /// Rings for whoever takes. When the last copy is gone, so is the last source.
    bell: watch::Sender<()>,
}

type Newest = Arc<Mutex<BTreeMap<PoolName, Vec<Endpoint>>>>;

/// Where it is taken.
#[derive(Debug)]
pub(super) struct Taken {
    waiting: Newest,
    bell: watch::Receiver<()>,
}

impl Reported {
    /// Both ends.
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
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(pool, endpoints);
        drop(waiting);
        self.bell.send_replace(());
    }
}

impl Taken {
    /// What was reported since the last call, once there is something; `None`: there is no source any more.
    async fn next(&mut self) -> Option<BTreeMap<PoolName, Vec<Endpoint>>> {
        let rings = self.bell.changed().await;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *waiting);
        (rings.is_ok() || !taken.is_empty()).then_some(taken)
    }
}

/// What came, and what of it is not out yet.
struct Discovery {
    all: Discovered,
    changed: BTreeSet<PoolName>,
    waiting: PendingFindings,
    /// The pools that are left as they were, of which that was said.
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

    /// The pools that changed, with what they have now.
    fn batch(&self) -> Batch {
        let found = |pool: &PoolName| Some((pool.clone(), Arc::clone(self.all.endpoints(pool)?)));
        Batch {
            pools: self.changed.iter().filter_map(found).collect(),
        }
    }

    /// These pools are tried again with the next change.
    fn leave_out(&mut self, left_out: Vec<LeftOut>) {
        for LeftOut { pool, faults } in left_out {
            if self.left_out.insert(pool.clone()) {
                let faults = faults.iter().map(ToString::to_string);
                let faults = faults.collect::<Vec<_>>().join("; ");
                error!(%pool, %faults, "what a source found for a pool is at fault: it keeps the endpoints that it has");
            }
            self.changed.insert(pool);
        }
    }
}

impl Publisher {
    /// Takes what sources find until there are no more of them: removals go out at once, the rest is gathered. There is one of this, and
    /// what it was told last stays published after its end.
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

    /// All endpoints that sources found and that are in the views, or will be with the first commit.
    pub async fn discovered(&self) -> Discovered {
        let discovered = self.work(|writer| writer.discovered().clone()).await;
        discovered.unwrap_or_default()
    }

    async fn publish(&self, discovery: &mut Discovery) {
        let batch = discovery.batch();
        let tried = std::mem::take(&mut discovery.changed);
        // From before the work on: a slow one must not make removals wait longer still.
        discovery.waiting.published(Instant::now());
        match self.apply(Change::Discovered(batch)).await {
            Ok(committed) => discovery.leave_out(committed.left_out),
            Err(rejected) => {
                error!(%rejected, "what sources found is not published; it is tried again with the next change");
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
