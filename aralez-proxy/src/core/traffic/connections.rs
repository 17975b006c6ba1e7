//! What becomes of connections: how many are in which state, and why some end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::core::request::http1::RequestRefusal;
use crate::core::request::http1::response::BadResponse;
use crate::core::request::rejection::Rejection;
use crate::core::traffic::counter::{add_all, load};

/// What a client's connection does now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionState {
    /// Between two requests.
    Idle,
    /// A request's head is coming.
    Head,
    /// A request is served.
    Exchange,
    /// It became a tunnel.
    Tunnel,
    /// It was answered for the last time, and what the client still sends is read away.
    Linger,
}

impl ConnectionState {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Idle,
        Self::Head,
        Self::Exchange,
        Self::Tunnel,
        Self::Linger,
    ];

    /// The label in metrics.
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

/// A deadline that ended something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadline {
    /// A client's head did not come in time.
    Head,
    /// A client's body stood still.
    Body,
    /// A client's body came too slowly.
    BodyRate,
    /// A client did not take what it was sent.
    Write,
    /// A client's connection was idle for long enough.
    Idle,
    /// An endpoint could not be connected to in time.
    Connect,
    /// An endpoint did not begin to answer in time.
    FirstByte,
    /// An endpoint's answer stood still.
    Read,
    /// An endpoint did not take what it was sent.
    EndpointWrite,
    /// The exchange as a whole took too long.
    Total,
    /// A tunnel was silent for long enough.
    Tunnel,
    /// A client went on sending after the last answer.
    Linger,
    /// The node leaves: an idle connection or a tunnel had its time.
    Drain,
}

impl Deadline {
    /// All of them.
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

    /// The label in metrics.
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

/// A limit of connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ConnectionLimit {
    /// Of one listener.
    Listener,
    /// Of the whole process.
    Global,
    /// Of one client's address.
    Address,
    /// Of the descriptors that the system gives (`RLIMIT_NOFILE`).
    Descriptors,
}

impl ConnectionLimit {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Listener,
        Self::Global,
        Self::Address,
        Self::Descriptors,
    ];

    /// The label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Global => "global",
            Self::Address => "address",
            Self::Descriptors => "descriptors",
        }
    }
}

/// The counts.
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
    /// A connection enters a state; it leaves it where what is given back moves on or is dropped.
    pub fn enter(self: &Arc<Self>, state: ConnectionState) -> InState {
        self.states[state as usize].fetch_add(1, Ordering::Relaxed);
        InState {
            counts: Arc::clone(self),
            state,
        }
    }

    /// A deadline ended something.
    pub fn deadline(&self, deadline: Deadline) {
        self.deadlines[deadline as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A connection was over a limit.
    pub fn turn_away(&self, limit: ConnectionLimit) {
        self.turned_away[limit as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A request was refused.
    pub fn refuse(&self, refusal: RequestRefusal) {
        self.refusals[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A request that could be read was refused by what was decided about it.
    pub fn reject(&self, rejection: Rejection) {
        self.decided[rejection.place()].fetch_add(1, Ordering::Relaxed);
    }

    /// A response was not passed on, or not to its end.
    pub fn bad_response(&self, bad: BadResponse) {
        self.bad_responses[bad as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Adds what another one counted.
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

    /// Connections by state.
    pub fn by_state(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = ConnectionState::ALL.into_iter().map(ConnectionState::name);
        names.zip(self.states.iter().map(load))
    }

    /// Connections in whatever state.
    pub fn open(&self) -> usize {
        let open: u64 = self.states.iter().map(load).sum();
        usize::try_from(open).unwrap_or(usize::MAX)
    }

    /// Ends by deadline.
    pub fn by_deadline(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = Deadline::ALL.into_iter().map(Deadline::name);
        names.zip(self.deadlines.iter().map(load))
    }

    /// Connections that were turned away, by limit.
    pub fn by_limit(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = ConnectionLimit::ALL.into_iter().map(ConnectionLimit::name);
        names.zip(self.turned_away.iter().map(load))
    }

    /// Refused requests by reason: at the gate, then by what was decided.
    pub fn by_refusal(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = RequestRefusal::ALL.into_iter().map(RequestRefusal::name);
        let gate = names.zip(self.refusals.iter().map(load));
        let decided = Rejection::NAMES.into_iter();
        gate.chain(decided.zip(self.decided.iter().map(load)))
    }

    /// Refused responses by reason.
    pub fn by_bad_response(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let names = BadResponse::ALL.into_iter().map(BadResponse::name);
        names.zip(self.bad_responses.iter().map(load))
    }
}

/// One connection in its state.
#[derive(Debug)]
pub struct InState {
    counts: Arc<Connections>,
    state: ConnectionState,
}

impl InState {
    /// The state that it is in.
    pub const fn state(&self) -> ConnectionState {
        self.state
    }

    /// It goes on to another state.
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
