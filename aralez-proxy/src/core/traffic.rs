//! What passes through this node: counts, times, what is in flight. Atomics only, so that the request path takes no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::core::counters::Counters;

mod connections;
#[cfg(test)]
mod tests;

pub use connections::{ConnectionLimit, ConnectionState, Connections, Deadline, InState};

const FIRST_STATUS: u16 = 100;
const STATUSES: usize = 500;

/// Methods that are counted by name; every other one is counted as `OTHER`.
pub const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "OTHER",
];

/// Versions that are counted by name.
pub const VERSIONS: [&str; 4] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "OTHER"];

/// Upper bounds of `aralez_request_latency_seconds`.
pub const REQUEST_BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Upper bounds of `aralez_response_latency_seconds`.
pub const RESPONSE_BOUNDS: [f64; 8] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0];

/// One event that is only counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A try at an endpoint after another one failed.
    Retry,
    /// A new connection to an endpoint.
    Connected,
    /// A connection to an endpoint that was used before.
    Reused,
    /// An endpoint that could not be connected to.
    ConnectFailed,
    /// A request that did not end as HTTP intends: reset, cut off, timed out, refused by an endpoint.
    Error,
    /// A panic, wherever it happened.
    Panic,
    /// A client's connection that was taken.
    Accepted,
    /// A kept connection to an endpoint that turned out to be closed when a request was sent on it.
    Stale,
    /// A kept connection to an endpoint that sent what nobody asked for: the alarm for smuggling.
    UnexpectedData,
    /// A response whose end the client did not get.
    Truncated,
    /// A client that went away before its response was there.
    ClientGone,
}

const EVENTS: usize = 11;

/// The counts of one process. Shared by the engine, the admin endpoint and the stream.
#[derive(Debug)]
pub struct Traffic {
    requests: AtomicU64,
    methods: [AtomicU64; METHODS.len()],
    versions: [AtomicU64; VERSIONS.len()],
    statuses: Box<[AtomicU64]>,
    events: [AtomicU64; EVENTS],
    /// From the request's head to the end of its response.
    pub request_latency: Histogram<{ REQUEST_BOUNDS.len() }>,
    /// From the request's head to the head of its response.
    pub response_latency: Histogram<{ RESPONSE_BOUNDS.len() }>,
    /// What becomes of connections.
    pub connections: Arc<Connections>,
    in_flight: AtomicUsize,
    draining: AtomicBool,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            requests: AtomicU64::default(),
            methods: Default::default(),
            versions: Default::default(),
            statuses: (0..STATUSES).map(|_| AtomicU64::default()).collect(),
            events: Default::default(),
            request_latency: Histogram::new(&REQUEST_BOUNDS),
            response_latency: Histogram::new(&RESPONSE_BOUNDS),
            connections: Arc::default(),
            in_flight: AtomicUsize::default(),
            draining: AtomicBool::default(),
        }
    }
}

impl Traffic {
    /// Counts a request whose head was read.
    pub fn request(&self, method: &str, version: &str) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        bump(&self.methods, index_of(&METHODS, method));
        bump(&self.versions, index_of(&VERSIONS, version));
    }

    /// Counts a response by its status. 0, no response at all, is not counted.
    pub fn response(&self, status: u16) {
        if let Some(count) = status
            .checked_sub(FIRST_STATUS)
            .and_then(|at| self.statuses.get(usize::from(at)))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts an event.
    pub fn event(&self, event: Event) {
        bump(&self.events, event as usize);
    }

    /// How often an event happened.
    pub fn events(&self, event: Event) -> u64 {
        self.events[event as usize].load(Ordering::Relaxed)
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests by method, in the order of [`METHODS`].
    pub fn by_method(&self) -> impl Iterator<Item = (&'static str, u64)> {
        METHODS.into_iter().zip(self.methods.iter().map(load))
    }

    /// Requests by version, in the order of [`VERSIONS`].
    pub fn by_version(&self) -> impl Iterator<Item = (&'static str, u64)> {
        VERSIONS.into_iter().zip(self.versions.iter().map(load))
    }

    /// Responses by status; only statuses that were sent.
    pub fn by_status(&self) -> impl Iterator<Item = (u16, u64)> {
        (FIRST_STATUS..)
            .zip(self.statuses.iter().map(load))
            .filter(|(_, count)| *count > 0)
    }

    /// Responses with a status of 500 and above.
    pub fn responses_5xx(&self) -> u64 {
        self.by_status()
            .filter(|(status, _)| *status >= 500)
            .map(|(_, count)| count)
            .sum()
    }

    /// Enters a request; it counts as in flight until the guard drops, however its task ends.
    pub fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(self))
    }

    /// Requests that are being served now.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
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

impl Counters for Traffic {
    fn requests(&self) -> u64 {
        Self::requests(self)
    }

    fn responses_5xx(&self) -> u64 {
        Self::responses_5xx(self)
    }
}

fn bump(counts: &[AtomicU64], at: usize) {
    if let Some(count) = counts.get(at) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

/// The place of a name, or the last place, which stands for all others.
fn index_of(names: &[&str], name: &str) -> usize {
    names
        .iter()
        .position(|known| *known == name)
        .unwrap_or(names.len() - 1)
}

/// One request in flight.
#[derive(Debug)]
pub struct InFlight(Arc<Traffic>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Times, by upper bound.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    bounds: &'static [f64; N],
    counts: [AtomicU64; N],
    beyond: AtomicU64,
    sum_micros: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    /// An empty one with these upper bounds in seconds, ascending.
    pub fn new(bounds: &'static [f64; N]) -> Self {
        Self {
            bounds,
            counts: std::array::from_fn(|_| AtomicU64::default()),
            beyond: AtomicU64::default(),
            sum_micros: AtomicU64::default(),
        }
    }

    /// Counts one time.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = self.bounds.iter().position(|bound| seconds <= *bound);
        let count = bucket.map_or(&self.beyond, |at| &self.counts[at]);
        count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Each bound with the count of its own bucket, the last one for all that is beyond the bounds.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let within = self
            .bounds
            .iter()
            .copied()
            .zip(self.counts.iter().map(load));
        within
            .chain(std::iter::once((f64::INFINITY, load(&self.beyond))))
            .collect()
    }

    /// All times together, in seconds.
    pub fn sum(&self) -> f64 {
        Duration::from_micros(load(&self.sum_micros)).as_secs_f64()
    }
}
