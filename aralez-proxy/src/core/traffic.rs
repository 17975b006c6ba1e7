//! What passes through this node: counts, times, what is in flight. Each thread counts for itself, and whoever asks gets the sum.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::core::counters::Counters;

mod connections;
mod histogram;
mod tally;
#[cfg(test)]
mod tests;

pub use connections::{ConnectionLimit, ConnectionState, Connections, Deadline, InState};
pub use histogram::Histogram;
pub use tally::{Event, InFlight, METHODS, REQUEST_BOUNDS, RESPONSE_BOUNDS, Tally, VERSIONS};

/// The traffic of one process. Shared by the engine, the admin endpoint and the stream.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Taken by who begins to count and by who asks, never by a request.
    tallies: Mutex<Vec<Arc<Tally>>>,
    draining: AtomicBool,
    arriving: Arc<AtomicUsize>,
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

    /// What has to end before the node may leave: requests, and accepted connections whose first request has not begun, since closing one of
    /// those loses the request that its client may have sent.
    pub fn unfinished(&self) -> usize {
        self.arriving.load(Ordering::Acquire) + self.in_flight()
    }

    /// Counts an accepted connection until its first request is counted by itself, or until it ends.
    pub fn arriving(&self) -> Arriving {
        self.arriving.fetch_add(1, Ordering::AcqRel);
        Arriving(Arc::clone(&self.arriving))
    }

    fn with_tallies<T>(&self, work: impl FnOnce(&mut Vec<Arc<Tally>>) -> T) -> T {
        // The list is whole after every step, so a panic elsewhere leaves nothing half done.
        work(&mut self.tallies.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on the node finishes what it has: it is not ready, and asks clients to go elsewhere.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the node is on its way out.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// An accepted connection before its first request.
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
