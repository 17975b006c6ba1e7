//! What one thread counts. Nobody else writes to it, so that counting costs no thread the others' time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::core::traffic::connections::Connections;
use crate::core::traffic::counter::{add_all, bump, load};
use crate::core::traffic::histogram::Histogram;

const FIRST_STATUS: u16 = 100;
/// Every status of three digits: an endpoint may send any of them (RFC 9110 section 15), and all are passed on.
const STATUSES: usize = 900;

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
pub enum TrafficEvent {
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
    /// An idle connection of a client that was closed to make room for a new one.
    Evicted,
    /// A connect to an endpoint that failed for want of something of this machine.
    ConnectLocal,
}

const EVENTS: usize = 13;

/// The counts of one thread, or of all of them together.
#[derive(Debug)]
pub struct Tally {
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

    /// Counts a request whose head was refused: it is answered, so it counts as `aralez_responses` counts its answer. Its method and version
    /// are not known, or not to be trusted.
    pub fn refused_request(&self) {
        self.request("", "");
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
    pub fn event(&self, event: TrafficEvent) {
        bump(&self.events, event as usize);
    }

    /// How often an event happened.
    pub fn events(&self, event: TrafficEvent) -> u64 {
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

    /// Responses with a status of 500 to 599.
    pub fn responses_5xx(&self) -> u64 {
        self.by_status()
            .filter(|(status, _)| (500..600).contains(status))
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

    /// Adds what another one counted.
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

/// The place of a name, or the last place, which stands for all others.
fn index_of(names: &[&str], name: &str) -> usize {
    names
        .iter()
        .position(|known| *known == name)
        .unwrap_or(names.len() - 1)
}

/// One request in flight.
#[derive(Debug)]
pub struct InFlight(Arc<Tally>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}
