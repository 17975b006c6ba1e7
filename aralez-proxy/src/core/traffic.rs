//! The traffic of this node: counts, latencies, requests in flight. Each thread counts separately; readers get the sum.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
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
    /// Locked to register a thread and to read the counts, never by a request.
    tallies: Mutex<Vec<Arc<Tally>>>,
    draining: AtomicBool,
    arriving: Arc<AtomicUsize>,
    closed: OnceLock<Closed>,
}

impl Traffic {
    /// Registers a new tally, for one thread.
    pub fn tally(&self) -> Arc<Tally> {
        let tally = Arc::default();
        self.with_tallies(|tallies| tallies.push(Arc::clone(&tally)));
        tally
    }

    /// Returns the current sum of all tallies.
    pub fn sum(&self) -> Tally {
        let sum = Tally::default();
        self.with_tallies(|tallies| {
            for tally in tallies {
                sum.add(tally);
            }
        });
        sum
    }

    /// Returns the number of requests in flight.
    pub fn in_flight(&self) -> usize {
        self.with_tallies(|tallies| tallies.iter().map(|tally| tally.in_flight()).sum())
    }

    /// Counts an accepted connection until its thread counts it.
    pub fn arriving(&self) -> Arriving {
        self.arriving.fetch_add(1, Ordering::AcqRel);
        Arriving(Arc::clone(&self.arriving))
    }

    /// Returns the number of connections and requests that must finish before the node may exit: client connections in any state, idle ones
    /// included, since each closes at its own time; connections on their way to a thread; and requests that are counted without a
    /// connection.
    pub fn unfinished(&self) -> usize {
        let open = |tally: &Arc<Tally>| tally.connections.open().max(tally.in_flight());
        let arriving = self.arriving.load(Ordering::Acquire);
        arriving + self.with_tallies(|tallies| tallies.iter().map(open).sum::<usize>())
    }

    fn with_tallies<T>(&self, work: impl FnOnce(&mut Vec<Arc<Tally>>) -> T) -> T {
        work(&mut self.tallies.lock())
    }

    /// Starts draining: the node reports not ready, and asks clients to reconnect elsewhere.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Records that the listeners close now. Connections derive their closing times from it. Only the first call has an effect.
    pub fn close(&self, at: Instant, grace: Duration) {
        let _ = self.closed.set(Closed { at, grace });
    }

    /// Returns when the listeners closed, and the grace period; `None` before that.
    pub fn closed(&self) -> Option<Closed> {
        self.closed.get().copied()
    }

    /// Returns whether the node is draining.
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
