//! What passes through this node: counts, times, what is in flight. Each thread counts for itself, and whoever asks gets the sum.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::core::counters::Counters;
use crate::core::leaving::Closed;

mod connections;
mod counter;
mod ends;
mod histogram;
mod tally;
#[cfg(test)]
mod tests;

pub use connections::{ConnectionLimit, ConnectionState, Connections, Deadline, InState};
pub use histogram::Histogram;
pub use tally::{
    InFlight, METHODS, REQUEST_BOUNDS, RESPONSE_BOUNDS, Tally, TrafficEvent, VERSIONS,
};

/// The traffic of one process. Shared by the engine, the admin endpoint and the stream.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Taken by who begins to count and by who asks, never by a request.
    tallies: Mutex<Vec<Arc<Tally>>>,
    draining: AtomicBool,
    arriving: Arc<AtomicUsize>,
    closed: OnceLock<Closed>,
}

impl Traffic {
    /// Counts of its own for a thread.
    pub fn tally(&self) -> Arc<Tally> {
        let tally = Arc::default();
        self.with_tallies(|tallies| tallies.push(Arc::clone(&tally)));
        tally
    }

    /// All that was counted, as it is now.
    pub fn sum(&self) -> Tally {
        let sum = Tally::default();
        self.with_tallies(|tallies| {
            for tally in tallies {
                sum.add(tally);
            }
        });
        sum
    }

    /// Requests that are being served now.
    pub fn in_flight(&self) -> usize {
        self.with_tallies(|tallies| tallies.iter().map(|tally| tally.in_flight()).sum())
    }

    /// Counts an accepted connection until it is counted by its thread.
    pub fn arriving(&self) -> Arriving {
        self.arriving.fetch_add(1, Ordering::AcqRel);
        Arriving(Arc::clone(&self.arriving))
    }

    /// What the node still has to finish before it may leave: connections of clients in whatever state, idle ones included, since each
    /// has its own end; those on their way to a thread; and requests that are counted without one.
    pub fn unfinished(&self) -> usize {
        let open = |tally: &Arc<Tally>| tally.connections.open().max(tally.in_flight());
        let arriving = self.arriving.load(Ordering::Acquire);
        arriving + self.with_tallies(|tallies| tallies.iter().map(open).sum::<usize>())
    }

    fn with_tallies<T>(&self, work: impl FnOnce(&mut Vec<Arc<Tally>>) -> T) -> T {
        // The list is whole after every step, so a panic elsewhere leaves nothing half done.
        work(&mut self.tallies.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the node finishes what it has: it is not ready, and asks clients to go elsewhere.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// The listeners close now; connections take their ends from here. Only the first call counts.
    pub fn close(&self, at: Instant, grace: Duration) {
        let _ = self.closed.set(Closed { at, grace });
    }

    /// The close of the listeners, once it has come.
    pub fn closed(&self) -> Option<Closed> {
        self.closed.get().copied()
    }

    /// Whether the node is on its way out.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// An accepted connection on its way to the thread that serves it.
#[derive(Debug)]
pub struct Arriving(Arc<AtomicUsize>);

impl Drop for Arriving {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Counters for Traffic {
    fn requests(&self) -> u64 {
        self.sum().requests()
    }

    fn responses_5xx(&self) -> u64 {
        self.sum().responses_5xx()
    }
}
