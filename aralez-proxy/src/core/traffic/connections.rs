//! Counters of connections: how many are in which state, and why they were closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::core::request::http1::RequestRefusal;
use crate::core::request::http1::response::BadResponse;
use crate::core::traffic::counter::{add_all, load};
use aralez_decision::rejection::Rejection;

/// The current activity of a client's connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionState {
    /// Between two requests.
    Idle,
    /// A request head is being received.
    Head,
    /// A request is being served.
    Exchange,
    /// The connection became a tunnel.
    Tunnel,
    /// The last response was sent, and the rest of the client's input is read and discarded.
    Linger,
}

impl ConnectionState {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Idle,
        Self::Head,
        Self::Exchange,
        Self::Tunnel,
        Self::Linger,
    ];

    /// Returns the metrics label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Head => "head",
            Self::Exchange => "exchange",
            Self::Tunnel => "tunnel",
            Self::Linger => "linger",
        }
    }
}

/// A deadline that expired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadline {
    /// A client's request head did not arrive in time.
    Head,
    /// A client's request body stalled.
    Body,
    /// A client's request body arrived too slowly.
    BodyRate,
    /// A client did not accept what was sent to it.
    Write,
    /// A client's connection reached its idle timeout.
    Idle,
    /// A connect to an endpoint timed out.
    Connect,
    /// An endpoint did not begin to respond in time.
    FirstByte,
    /// An endpoint's response stalled.
    Read,
    /// An endpoint did not accept what was sent to it.
    EndpointWrite,
    /// The whole exchange took too long.
    Total,
    /// A tunnel reached its idle timeout.
    Tunnel,
    /// A client continued to send after the last response.
    Linger,
    /// The node is draining: the time of an idle connection or a tunnel was over.
    Drain,
}

impl Deadline {
    /// All deadlines.
    pub const ALL: [Self; 13] = [
        Self::Head,
        Self::Body,
        Self::BodyRate,
        Self::Write,
        Self::Idle,
        Self::Connect,
        Self::FirstByte,
        Self::Read,
        Self::EndpointWrite,
        Self::Total,
        Self::Tunnel,
        Self::Linger,
        Self::Drain,
    ];

    /// Returns the metrics label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Body => "body",
            Self::BodyRate => "body_rate",
            Self::Write => "write",
            Self::Idle => "idle",
            Self::Connect => "connect",
            Self::FirstByte => "first_byte",
            Self::Read => "read",
            Self::EndpointWrite => "endpoint_write",
            Self::Total => "total",
            Self::Tunnel => "tunnel",
            Self::Linger => "linger",
            Self::Drain => "drain",
        }
    }
}

/// A limit on connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionLimit {
    /// Per listener.
    Listener,
    /// For the whole process.
    Global,
    /// Per client address.
    Address,
    /// The process's limit of file descriptors (`RLIMIT_NOFILE`).
    Descriptors,
}

impl ConnectionLimit {
    /// All limits.
    pub const ALL: [Self; 4] = [
        Self::Listener,
        Self::Global,
        Self::Address,
        Self::Descriptors,
    ];

    /// Returns the metrics label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Global => "global",
            Self::Address => "address",
            Self::Descriptors => "descriptors",
        }
    }
}

/// Counters of connections and of the reasons for which requests and responses failed.
#[derive(Debug)]
pub struct Connections {
    states: [AtomicU64; ConnectionState::ALL.len()],
    deadlines: [AtomicU64; Deadline::ALL.len()],
    turned_away: [AtomicU64; ConnectionLimit::ALL.len()],
    refusals: [AtomicU64; RequestRefusal::ALL.len()],
    bad_responses: [AtomicU64; BadResponse::ALL.len()],
    decided: [AtomicU64; Rejection::NAMES.len()],
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            states: Default::default(),
            deadlines: Default::default(),
            turned_away: Default::default(),
            refusals: std::array::from_fn(|_| AtomicU64::default()),
            bad_responses: Default::default(),
            decided: Default::default(),
        }
    }
}

impl Connections {
    /// Counts a connection in a state until the returned guard moves on or is dropped.
    pub fn enter(self: &Arc<Self>, state: ConnectionState) -> InState {
        self.states[state as usize].fetch_add(1, Ordering::Relaxed);
        InState {
            counts: Arc::clone(self),
            state,
        }
    }

    /// Counts an expired deadline.
    pub fn deadline(&self, deadline: Deadline) {
        self.deadlines[deadline as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a connection that was turned away because of a limit.
    pub fn turn_away(&self, limit: ConnectionLimit) {
        self.turned_away[limit as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that was refused because of its bytes.
    pub fn refuse(&self, refusal: RequestRefusal) {
        self.refusals[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that could be read, but was rejected.
    pub fn reject(&self, rejection: Rejection) {
        self.decided[rejection.place()].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a response that was not forwarded, or not to its end.
    pub fn bad_response(&self, bad: BadResponse) {
        self.bad_responses[bad as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the counts of `other`.
    pub(super) fn add(&self, other: &Self) {
        let pairs: [(&[AtomicU64], &[AtomicU64]); 6] = [
            (&self.states, &other.states),
            (&self.deadlines, &other.deadlines),
            (&self.turned_away, &other.turned_away),
            (&self.refusals, &other.refusals),
            (&self.bad_responses, &other.bad_responses),
            (&self.decided, &other.decided),
        ];
        for (to, from) in pairs {
            add_all(to, from);
        }
    }

    /// Iterates over the states with their number of connections.
    pub fn by_state(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = ConnectionState::ALL.into_iter().map(ConnectionState::name);
        names.zip(self.states.iter().map(load))
    }

    /// Returns the number of connections in any state.
    pub fn open(&self) -> usize {
        let open: u64 = self.states.iter().map(load).sum();
        usize::try_from(open).unwrap_or(usize::MAX)
    }

    /// Iterates over the deadlines with the number of times each expired.
    pub fn by_deadline(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = Deadline::ALL.into_iter().map(Deadline::name);
        names.zip(self.deadlines.iter().map(load))
    }

    /// Iterates over the limits with the number of connections turned away.
    pub fn by_limit(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = ConnectionLimit::ALL.into_iter().map(ConnectionLimit::name);
        names.zip(self.turned_away.iter().map(load))
    }

    /// Iterates over the reasons of refused requests with their counts: first refusals by the parser, then rejections.
    pub fn by_refusal(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = RequestRefusal::ALL.into_iter().map(RequestRefusal::name);
        let gate = names.zip(self.refusals.iter().map(load));
        let decided = Rejection::NAMES.into_iter();
        gate.chain(decided.zip(self.decided.iter().map(load)))
    }

    /// Iterates over the reasons of refused responses with their counts.
    pub fn by_bad_response(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = BadResponse::ALL.into_iter().map(BadResponse::name);
        names.zip(self.bad_responses.iter().map(load))
    }
}

/// A guard that counts one connection in its state.
#[derive(Debug)]
pub struct InState {
    counts: Arc<Connections>,
    state: ConnectionState,
}

impl InState {
    /// Returns the current state.
    pub const fn state(&self) -> ConnectionState {
        self.state
    }

    /// Moves the connection to another state.
    pub fn move_to(&mut self, state: ConnectionState) {
        if state != self.state {
            self.counts.states[self.state as usize].fetch_sub(1, Ordering::Relaxed);
            self.counts.states[state as usize].fetch_add(1, Ordering::Relaxed);
            self.state = state;
        }
    }
}

impl Drop for InState {
    fn drop(&mut self) {
        self.counts.states[self.state as usize].fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_in_one_state_until_it_is_gone() {
        let counts = Arc::new(Connections::default());
        let count = |state: &str| {
            counts
                .by_state()
                .find(|(name, _)| *name == state)
                .unwrap()
                .1
        };
        let mut connection = counts.enter(ConnectionState::Idle);
        connection.move_to(ConnectionState::Head);
        connection.move_to(ConnectionState::Head);
        assert_eq!((count("idle"), count("head")), (0, 1));
        drop(connection);
        assert_eq!(counts.by_state().map(|(_, count)| count).sum::<u64>(), 0);
    }

    #[test]
    fn every_reason_is_counted_under_its_own_name() {
        let counts = Connections::default();
        for refusal in RequestRefusal::ALL {
            counts.refuse(refusal);
        }
        for bad in BadResponse::ALL {
            counts.bad_response(bad);
        }
        for deadline in Deadline::ALL {
            counts.deadline(deadline);
        }
        counts.reject(Rejection::NoRoute { compat: true });
        let refused = |name: &str| {
            counts
                .by_refusal()
                .filter(|(own, _)| *own == name)
                .map(|(_, n)| n)
                .sum::<u64>()
        };
        assert_eq!(refused("no_route"), 1);
        assert!(
            RequestRefusal::ALL
                .into_iter()
                .all(|refusal| refused(refusal.name()) == 1)
        );
        assert!(counts.by_bad_response().all(|(_, count)| count == 1));
        assert!(counts.by_deadline().all(|(_, count)| count == 1));
    }
}
