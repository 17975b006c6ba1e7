//! What sources find goes into the discovered layer and out to the nodes. It never writes the ledger.

use std::collections::BTreeSet;
use std::time::Instant;

use aralez_proto::model::PoolName;
use tokio::sync::mpsc;
use tracing::error;

use super::Publisher;
use super::writer::LeftOut;
use crate::core::discovery::Waiting;
use crate::core::layers::{Answer, Discovered};

/// What a source said about a pool.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which pool.
    pub pool: PoolName,
    /// What it said.
    pub answer: Answer,
}

/// What came, and what of it is not out yet.
#[derive(Default)]
struct Discovery {
    all: Discovered,
    changed: BTreeSet<PoolName>,
    waiting: Waiting,
    /// The pools that are left as they were, of which that was said.
    left_out: BTreeSet<PoolName>,
}

impl Discovery {
    fn take(&mut self, found: Found) {
        if let Some(urgency) = self.all.answered(&found.pool, found.answer) {
            self.waiting.changed(urgency, Instant::now());
            self.left_out.remove(&found.pool);
            self.changed.insert(found.pool);
        }
    }
}

impl Discovery {
    /// These pools are tried again with the next change.
    fn leave_out(&mut self, left_out: Vec<LeftOut>) {
        for (pool, faults) in left_out {
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
    pub async fn follow_discovered(&self, mut found: mpsc::Receiver<Found>) {
        let mut discovery = Discovery::default();
        loop {
            let due = discovery.waiting.due();
            tokio::select! {
                biased;
                () = at(due) => self.publish(&mut discovery).await,
                next = found.recv() => match next {
                    Some(found) => discovery.take(found),
                    None => break,
                },
            }
        }
        if discovery.waiting.due().is_some() {
            self.publish(&mut discovery).await;
        }
    }

    async fn publish(&self, discovery: &mut Discovery) {
        let all = discovery.all.clone();
        let changed = std::mem::take(&mut discovery.changed);
        // From before the work on: a slow one must not make removals wait longer still.
        discovery.waiting.published(Instant::now());
        let tried = changed.clone();
        let published = self.work(move |writer| writer.rediscover(all, &changed));
        match published.await.and_then(|published| published) {
            Ok(left_out) => discovery.leave_out(left_out),
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
