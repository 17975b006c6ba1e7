//! The counters of one thread. No other thread writes to them, so counting causes no contention.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::core::traffic::connections::Connections;
use crate::core::traffic::counter::{add_all, bump, load};
use crate::core::traffic::histogram::Histogram;

const FIRST_STATUS: u16 = 100;
/// All statuses of three digits: an endpoint may send any of them (RFC 9110 section 15), and all are forwarded.
const STATUSES: usize = 900;

/// Methods that are counted by name; all others are counted as `OTHER`.
pub const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "OTHER",
];

/// Versions that are counted by name; all others are counted as `OTHER`.
pub const VERSIONS: [&str; 4] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "OTHER"];

/// Upper bounds of `aralez_request_latency_seconds`.
pub const REQUEST_BOUNDS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Upper bounds of `aralez_response_latency_seconds`.
pub const RESPONSE_BOUNDS: [f64; 8] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0];

/// An event without any detail besides its count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TrafficEvent {
    /// Another attempt at the same request: at another endpoint, or on a new connection after a kept one turned out to be closed.
    Retry,
    /// A new connection to an endpoint.
    Connected,
    /// A reused connection to an endpoint.
    Reused,
    /// A failed connect to an endpoint.
    ConnectFailed,
    /// A request that did not end regularly: reset, cut off, timed out, refused by an endpoint.
    Error,
    /// A panic, anywhere in the process.
    Panic,
    /// An accepted client connection.
    Accepted,
    /// A kept connection to an endpoint that turned out to be closed when a request was sent on it.
    Stale,
    /// Data on a kept connection to an endpoint that no request asked for: an alarm for request smuggling.
    UnexpectedData,
    /// A response that did not reach the client in full.
    Truncated,
    /// A client that went away before its response was complete.
    ClientGone,
    /// An idle client connection that was closed to make space for a new one.
    Evicted,
    /// A connect to an endpoint that failed for lack of a local resource.
    ConnectLocal,
}

const EVENTS: usize = 13;

/// The counters of one thread, or the sum of all threads.
#[derive(Debug)]
pub struct Tally {
    requests: AtomicU64,
    methods: [AtomicU64; METHODS.len()],
    versions: [AtomicU64; VERSIONS.len()],
    statuses: Box<[AtomicU64]>,
    events: [AtomicU64; EVENTS],
    /// Latency from the request's head to the end of its response.
    pub request_latency: Histogram<{ REQUEST_BOUNDS.len() }>,
    /// Latency from the request's head to the head of its response.
    pub response_latency: Histogram<{ RESPONSE_BOUNDS.len() }>,
    /// Counters of connections.
    pub connections: Arc<Connections>,
    in_flight: AtomicUsize,
}

impl Default for Tally {
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
        }
    }
}

impl Tally {
    /// Counts a request whose head was read.
    pub fn request(&self, method: &str, version: &str) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        bump(&self.methods, index_of(&METHODS, method));
        bump(&self.versions, index_of(&VERSIONS, version));
    }

    /// Counts a request whose head was refused. It is answered, so it counts just as its response counts in `aralez_responses`. Its method
    /// and version are unknown, or not trustworthy.
    pub fn refused_request(&self) {
        self.request("", "");
    }

    /// Counts a response by its status. 0, which means no response, is not counted.
    pub fn response(&self, status: u16) {
        if let Some(count) = status
            .checked_sub(FIRST_STATUS)
            .and_then(|at| self.statuses.get(usize::from(at)))
        {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts an event.
    pub fn event(&self, event: TrafficEvent) {
        bump(&self.events, event as usize);
    }

    /// Returns how often an event happened.
    pub fn events(&self, event: TrafficEvent) -> u64 {
        self.events[event as usize].load(Ordering::Relaxed)
    }

    /// Returns the number of requests so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Iterates over the requests by method, in the order of [`METHODS`].
    pub fn by_method(&self) -> impl Iterator<Item = (&'static str, u64)> {
        METHODS.into_iter().zip(self.methods.iter().map(load))
    }

    /// Iterates over the requests by version, in the order of [`VERSIONS`].
    pub fn by_version(&self) -> impl Iterator<Item = (&'static str, u64)> {
        VERSIONS.into_iter().zip(self.versions.iter().map(load))
    }

    /// Iterates over the responses by status; statuses that were never sent are omitted.
    pub fn by_status(&self) -> impl Iterator<Item = (u16, u64)> {
        (FIRST_STATUS..)
            .zip(self.statuses.iter().map(load))
            .filter(|(_, count)| *count > 0)
    }

    /// Returns the number of responses with a status of 500 to 599.
    pub fn responses_5xx(&self) -> u64 {
        self.by_status()
            .filter(|(status, _)| (500..600).contains(status))
            .map(|(_, count)| count)
            .sum()
    }

    /// Counts a request as in flight until the returned guard is dropped, even if its task panics.
    pub fn enter(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight(Arc::clone(self))
    }

    /// Returns the number of requests in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Adds the counts of `other`.
    pub(super) fn add(&self, other: &Self) {
        let pairs = [
            (
                std::slice::from_ref(&self.requests),
                std::slice::from_ref(&other.requests),
            ),
            (&self.methods, &other.methods),
            (&self.versions, &other.versions),
            (&self.statuses, &other.statuses),
            (&self.events, &other.events),
        ];
        for (to, from) in pairs {
            add_all(to, from);
        }
        self.request_latency.add(&other.request_latency);
        self.response_latency.add(&other.response_latency);
        self.connections.add(&other.connections);
        self.in_flight
            .fetch_add(other.in_flight(), Ordering::Relaxed);
    }
}

/// Returns the index of a name, or the last index, which counts all other names.
fn index_of(names: &[&str], name: &str) -> usize {
    names
        .iter()
        .position(|known| *known == name)
        .unwrap_or(names.len() - 1)
}

/// A guard that counts one request as in flight.
#[derive(Debug)]
pub struct InFlight(Arc<Tally>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
