//! The version that each node runs, and the time at which it began to.

use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::snapshot::Snapshot;
use aralez_proto::version::Version;
use aralez_proxy::core::sync::subscription::Update;

/// Poll interval while waiting for all nodes.
const LOOK: Duration = Duration::from_millis(2);

/// Receives every version that a node applies from an update. Implementations must not block.
pub trait Watcher: Send + Sync {
    /// Called when a node runs `snapshot` after an update.
    fn applied(&self, node: usize, snapshot: &Snapshot);
}

impl<T: Watcher> Watcher for Arc<T> {
    fn applied(&self, node: usize, snapshot: &Snapshot) {
        (**self).applied(node, snapshot);
    }
}

/// Counts of what all nodes received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Applied updates.
    pub updates: u64,
    /// Applied updates that were full snapshots.
    pub complete: u64,
    /// Renames: newer versions of the content that the node already held.
    pub renames: u64,
}

/// A revision that the test waits for.
#[derive(Debug)]
struct Expected {
    revision: u64,
    since: Instant,
    seen: Vec<bool>,
    took: Vec<(usize, Duration)>,
}

#[derive(Debug, Default)]
struct State {
    running: Vec<Option<Version>>,
    counts: Counts,
    expected: Option<Expected>,
}

/// The versions that all nodes run.
pub struct Board {
    state: Mutex<State>,
    watcher: Option<Box<dyn Watcher>>,
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}

impl Board {
    pub(super) fn new(watcher: Option<Box<dyn Watcher>>) -> Self {
        Self {
            state: Mutex::default(),
            watcher,
        }
    }

    pub(super) fn add(&self) -> usize {
        let mut state = self.state();
        state.running.push(None);
        if let Some(expected) = &mut state.expected {
            expected.seen.push(false);
        }
        state.running.len() - 1
    }

    pub(super) fn applied(&self, node: usize, update: &Update, snapshot: &Snapshot) {
        {
            let mut state = self.state();
            state.counts.updates += 1;
            state.counts.complete += u64::from(update.full);
            state.runs(node, snapshot.version());
        }
        if let Some(watcher) = &self.watcher {
            watcher.applied(node, snapshot);
        }
    }

    pub(super) fn renamed(&self, node: usize, version: Version) {
        let mut state = self.state();
        state.counts.renames += 1;
        state.runs(node, version);
    }

    /// Returns the totals over all nodes so far.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Returns the number of nodes that run this revision or a later one.
    pub fn running(&self, revision: u64) -> usize {
        let state = self.state();
        let versions = state.running.iter().flatten();
        versions
            .filter(|version| version.revision >= revision)
            .count()
    }

    /// Starts to measure how long each node takes to run this revision or a later one.
    pub fn expect(&self, revision: u64) {
        let mut state = self.state();
        let seen = vec![false; state.running.len()];
        state.expected = Some(Expected {
            revision,
            since: Instant::now(),
            seen,
            took: Vec::new(),
        });
    }

    /// Waits until all nodes except `others` run the expected revision. Returns each node's time, ascending.
    ///
    /// # Errors
    /// The number of nodes that run it, if not all do within `limit`.
    pub async fn all_but(
        &self,
        others: &BTreeSet<usize>,
        limit: Duration,
    ) -> Result<Vec<Duration>, String> {
        let begun = Instant::now();
        loop {
            let (mut took, all) = self.took(others);
            if took.len() >= all - others.len() {
                took.sort_unstable();
                return Ok(took);
            }
            if begun.elapsed() > limit {
                return Err(format!("{} of {all} after {limit:?}", took.len()));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn took(&self, others: &BTreeSet<usize>) -> (Vec<Duration>, usize) {
        let state = self.state();
        let took = state.expected.iter().flat_map(|expected| &expected.took);
        let took = took.filter(|(node, _)| !others.contains(node));
        (took.map(|(_, took)| *took).collect(), state.running.len())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    fn runs(&mut self, node: usize, version: Version) {
        self.running[node] = Some(version);
        let Some(expected) = &mut self.expected else {
            return;
        };
        let counts = expected.revision <= version.revision && !expected.seen[node];
        if counts {
            expected.seen[node] = true;
            expected.took.push((node, expected.since.elapsed()));
        }
    }
}
