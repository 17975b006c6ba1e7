//! The exchange: both directions of one request on one pair of connections, polled together in one future.
//!
//! Nothing is spawned and no channel stands between the directions. Each tries first and waits after; while an answer is awaited the
//! client is watched, so that one that goes away is noticed.

use std::task::{Context, Poll};
use std::time::Instant;

use super::ask::{Ask, Way};
use super::buffer::{Buffer, Buffers};
use super::clock::Wait;
use super::gone::ClientWatch;
use super::io::Io;
use super::relay::Relay;
use super::timer::Timer;
use super::unwatched::Unwatched;
use super::upstream::stream::UpstreamStream;
use crate::core::http1::Refusal;
use crate::core::http1::body::BadBody;
use crate::core::http1::date::DateText;
use crate::core::http1::response::{BadResponse, ResponseHead};
use crate::core::limits::ClientLimits;
use crate::core::retry::{Attempt, Failed};
use crate::core::traffic::{Deadline, Traffic};

mod deadlines;
mod download;
mod upload;

/// Bytes that one exchange may move before others get their turn.
const TURN: usize = 256 * 1024;

/// How an exchange ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The response is with the client.
    Done,
    /// Both sides agreed to a WebSocket.
    Switched,
    /// The client is gone, or takes nothing.
    ClientGone(Option<Deadline>),
    /// The client's body is not fit to go on.
    Refused(Refusal, Option<Deadline>),
    /// The endpoint ended a kept connection with a 408 while the request was on its way to it; the request is to be sent again.
    IdleTimeout,
    /// The endpoint's answer is not fit to go on.
    Bad(BadResponse),
    /// The endpoint is too slow.
    TooSlow(Deadline),
}

/// What a download has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    /// The head is coming.
    #[default]
    Head,
    /// The body is coming.
    Body,
    /// There is no more: the protocol was switched.
    Switched,
}

/// The state of an exchange that outlives a try at an endpoint.
#[derive(Debug, Default)]
pub struct State {
    /// From the client to the endpoint.
    pub up: Relay,
    /// From the endpoint to the client.
    pub down: Relay,
    /// The response's head.
    pub head: ResponseHead,
    /// What came from the client and is not dealt with.
    pub from_client: Buffer,
    /// What came from the endpoint and is not dealt with.
    pub from_endpoint: Buffer,
    /// Where the response stands.
    pub progress: Progress,
}

impl State {
    /// What is known of a request that failed on a connection.
    pub const fn failed(&self, ask: &Ask, attempt: Attempt, answered: bool) -> Failed {
        Failed {
            attempt,
            answered,
            sent: self.up.out.has_sent(),
            idempotent: ask.idempotent,
            kept: self.up.out.is_kept(),
        }
    }

    /// Whether bytes of a final response, or half of an informational one, are with the client: no other answer can follow.
    pub const fn is_answered(&self) -> bool {
        if self.progress.status == 0 {
            !self.down.out.is_empty()
        } else {
            self.down.out.moved() != self.progress.before
        }
    }
}

/// Where a response stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// What the download has come to.
    pub phase: Phase,
    /// A byte came from the endpoint.
    pub touched: bool,
    /// The status that the client gets; 0 before its head is on its way.
    pub status: u16,
    /// The client's connection can stay open.
    pub keep_client: bool,
    /// The endpoint's connection can stay open.
    pub keep_endpoint: bool,
    /// The client's side ends with the connection.
    pub until_close: bool,
    /// The upload was given up: the endpoint takes no more.
    pub stopped: bool,
    /// What was sent to the client before the head of the final response.
    before: u64,
    informational: u8,
    continued: bool,
}

/// One try: the state, the connections, and the rules that hold.
pub struct Duplex<'a, C> {
    /// The state.
    pub state: &'a mut State,
    /// The client.
    pub client: &'a mut C,
    /// The endpoint.
    pub endpoint: &'a mut UpstreamStream,
    timer: &'a mut Timer,
    terms: Terms<'a>,
    clocks: Clocks,
    budget: usize,
}

impl<C> std::fmt::Debug for Duplex<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Duplex").finish_non_exhaustive()
    }
}

/// Who is waited for.
#[derive(Debug, Default)]
struct Clocks {
    /// The client, for more of its body.
    body: Wait,
    /// The endpoint, to take more of the request.
    endpoint_write: Wait,
    /// The client, to take more of the response.
    client_write: Wait,
    /// The endpoint, for more of its response.
    reading: bool,
    /// When something last passed between us and the endpoint.
    endpoint: Option<Instant>,
    /// Bytes of the body that came.
    received: u64,
}

/// What holds for a [`Duplex`] beside its state and connections.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The request.
    pub ask: &'a Ask,
    /// Where it goes.
    pub way: &'a Way,
    /// How it is sent.
    pub attempt: Attempt,
    /// The limits of clients.
    pub limits: &'a ClientLimits,
    /// The date of now.
    pub date: DateText,
    /// The client's connection may stay open, unless the node leaves.
    pub may_keep: bool,
    /// Whether it leaves.
    pub traffic: &'a Traffic,
    /// Where buffers come from.
    pub buffers: &'a Buffers,
    /// Where clients stand that are not watched yet.
    pub unwatched: &'a Unwatched,
}

impl<'a, C: Io> Duplex<'a, C> {
    /// A try on these connections.
    pub fn new(
        state: &'a mut State,
        client: &'a mut C,
        endpoint: &'a mut UpstreamStream,
        timer: &'a mut Timer,
        terms: Terms<'a>,
    ) -> Self {
        state.head.clear();
        state.progress = Progress::default();
        Self {
            state,
            client,
            endpoint,
            timer,
            terms,
            clocks: Clocks::default(),
            budget: TURN,
        }
    }

    /// Moves both directions as far as they go. Ready: it is over.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<End> {
        self.budget = TURN;
        if self.clocks.endpoint.is_none() {
            self.clocks.endpoint = Some(now);
        }
        // An answer that is there already came before the rest of the body, and has to be known for that.
        if self.state.up.out.has_sent()
            && !self.state.up.is_ended()
            && let Poll::Ready(end) = self.poll_down(cx, now)
        {
            return Poll::Ready(end);
        }
        if let Poll::Ready(end) = self.poll_up(cx, now) {
            return Poll::Ready(end);
        }
        if let Poll::Ready(end) = self.poll_down(cx, now) {
            return Poll::Ready(end);
        }
        self.poll_deadline(cx, now)
    }

    /// Takes from the turn; `false`: it is over, and the task comes again after the others.
    fn spend(&mut self, cx: &Context<'_>, count: usize) -> bool {
        self.budget = self.budget.saturating_sub(count);
        if self.budget == 0 {
            cx.waker().wake_by_ref();
        }
        self.budget > 0
    }

    /// Watches the client.
    const fn watch(&self) -> ClientWatch<'a> {
        ClientWatch {
            ask: self.terms.ask,
            buffers: self.terms.buffers,
            unwatched: self.terms.unwatched,
        }
    }

    /// Whether the head of a final response is on its way to the client.
    const fn has_head(&self) -> bool {
        self.state.progress.status != 0
    }
}

impl From<BadBody> for Refusal {
    fn from(bad: BadBody) -> Self {
        match bad {
            BadBody::ChunkSize => Self::ChunkSize,
            BadBody::ChunkEnd => Self::ChunkEnd,
            BadBody::Trailer => Self::Trailer,
        }
    }
}
