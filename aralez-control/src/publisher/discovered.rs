//! What sources find goes into the discovered layer and out to the nodes. It never writes the ledger.

use std::collections::BTreeSet;
use std::time::Instant;

use aralez_proto::model::PoolName;
use tokio::sync::mpsc;
use tracing::error;

use super::Publisher;
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
}

impl Discovery {
    fn take(&mut self, found: Found) {
        if let Some(urgency) = self.all.answered(&found.pool, found.answer) {
            self.waiting.changed(urgency, Instant::now());
            self.changed.insert(found.pool);
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
        let published = self.work(move |writer| writer.rediscover(all, &changed));
        if let Err(rejected) = published.await.unwrap_or_else(Err) {
            error!(%rejected, "what sources found is not published");
        }
    }
}

async fn at(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
