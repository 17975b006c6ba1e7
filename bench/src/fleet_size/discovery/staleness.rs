//! Time that each change took to reach each node, derived from the snapshots that the nodes apply.

use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::Snapshot;

use super::schedule::{self, Schedule};
use crate::fleet_size::figures::Spread;
use aralez_tests::simulator::Watcher;

/// Upper end of the histogram, in milliseconds; longer times count as this one.
const LONGEST: usize = 60_000;
/// Number of snapshots whose step counts are cached.
const READ: usize = 64;

/// Progress of all nodes through a schedule.
#[derive(Debug)]
pub(super) struct Staleness {
    schedule: Mutex<Schedule>,
    /// The last step of each pool that each node has applied.
    nodes: Vec<Mutex<Vec<u32>>>,
    /// Histogram over all nodes: number of changes by milliseconds taken.
    took: Mutex<Vec<u64>>,
    /// Step counts of recent snapshots, by root.
    read: Mutex<VecDeque<(Digest, Arc<[u32]>)>>,
}

impl Staleness {
    pub(super) fn new(nodes: usize, schedule: Schedule) -> Self {
        let pools = schedule.pools as usize;
        Self {
            schedule: Mutex::new(schedule),
            nodes: (0..nodes).map(|_| Mutex::new(vec![0; pools])).collect(),
            took: Mutex::new(vec![0; LONGEST + 1]),
            read: Mutex::default(),
        }
    }

    /// Sets the time of the first change.
    pub(super) fn begins(&self, begin: Duration) {
        self.schedule.lock().begin = begin;
    }

    /// Returns an error if some nodes have not applied every change.
    pub(super) fn missing(&self) -> Result<(), String> {
        let schedule = *self.schedule.lock();
        let behind = |seen: &[u32]| {
            let mut pools = (0..schedule.pools).zip(seen);
            pools.any(|(pool, seen)| *seen < schedule.last(pool))
        };
        let nodes = self.nodes.iter().filter(|node| behind(&node.lock()));
        match nodes.count() {
            0 => Ok(()),
            behind => Err(format!("{behind} nodes have not seen every change")),
        }
    }

    /// Returns the distribution over all changes and nodes.
    pub(super) fn spread(&self) -> Spread {
        let took = self.took.lock();
        let count: u64 = took.iter().sum();
        let at = |part: f64| {
            let rank = ((count as f64 * part).ceil() as u64).max(1);
            let mut seen = 0;
            let millis = took.iter().position(|number| {
                seen += number;
                seen >= rank
            });
            Duration::from_millis(millis.unwrap_or(0) as u64)
        };
        Spread {
            count: count as usize,
            p50: at(0.5),
            p99: at(0.99),
            max: at(1.0),
        }
    }

    fn note(&self, node: usize, steps: &[u32], now: Duration, schedule: &Schedule) {
        let mut seen = self.nodes[node].lock();
        let mut took = self.took.lock();
        for ((pool, seen), step) in (0..).zip(seen.iter_mut()).zip(steps) {
            for step in *seen + 1..=*step {
                let staleness = now.saturating_sub(schedule.comes(pool, step));
                took[(staleness.as_millis() as usize).min(LONGEST)] += 1;
            }
            *seen = (*seen).max(*step);
        }
    }

    /// Returns the step that each pool of a snapshot is at. Cached by root, since nodes in step apply equal snapshots.
    fn steps(&self, snapshot: &Snapshot, schedule: &Schedule) -> Arc<[u32]> {
        let root = snapshot.version().root;
        let mut read = self.read.lock();
        if let Some((_, steps)) = read.iter().rev().find(|(known, _)| *known == root) {
            return Arc::clone(steps);
        }
        let step = |pool| {
            let endpoints = snapshot
                .resources()
                .pools()
                .endpoints(&schedule::pool_name(pool));
            let endpoints = endpoints.unwrap_or_default().iter();
            schedule::step_of(endpoints.filter_map(|endpoint| endpoint.address.tcp())).unwrap_or(0)
        };
        let steps: Arc<[u32]> = (0..schedule.pools).map(step).collect();
        read.push_back((root, Arc::clone(&steps)));
        if read.len() > READ {
            read.pop_front();
        }
        steps
    }
}

impl Watcher for Staleness {
    fn applied(&self, node: usize, snapshot: &Snapshot) {
        let now = schedule::now();
        let schedule = *self.schedule.lock();
        let steps = self.steps(snapshot, &schedule);
        self.note(node, &steps, now, &schedule);
    }
}
