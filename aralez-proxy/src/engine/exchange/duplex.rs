//! One try at an HTTP/1 endpoint: both directions of one request between the client and the endpoint connection, polled together in one
//! future.
//!
//! Nothing is spawned, and there is no channel between the directions. Each tries its I/O first and waits only if that would block. While a
//! response is awaited the client is polled too, so that a disconnect is noticed.

use std::task::{Context, Poll};
use std::time::Instant;

use crate::core::limits::ClientLimits;
use crate::core::request::http1::RequestRefusal;
use crate::core::request::http1::body::BadBody;
use crate::core::request::http1::date::DateText;
use crate::core::request::http1::response::BadResponse;
use crate::core::request::outcome::Reason;
use crate::core::request::retry::{Attempt, Failed};
use crate::core::traffic::Deadline;
use crate::engine::exchange::client_side::{ClientSide, ResponseChanges};
use crate::engine::exchange::endpoint_side::EndpointSide;
use crate::engine::exchange::facts::Upstream;
use crate::engine::io::buffer::Buffers;
use crate::engine::io::stall::Wait;
use crate::engine::io::timer::Timer;
use crate::engine::upstream::stream::UpstreamStream;
use aralez_decision::additions::FieldList;
use aralez_decision::rejection::Rejection;

mod deadlines;
mod download;
mod upload;

/// Bytes that one exchange may move before it yields to other tasks.
const TURN: usize = 256 * 1024;

/// The result of a try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TryEnd {
    /// The response was sent to the client in full.
    Done,
    /// Both sides agreed to switch to WebSocket.
    Switched,
    /// The client is gone, or accepts no data.
    ClientGone(Option<Deadline>),
    /// The client's body is invalid, too slow or too large.
    Refused(BodyRefusal, Option<Deadline>),
    /// The endpoint closed a kept connection with a 408 while the request was in flight; the request must be sent again.
    IdleTimeout,
    /// The endpoint's response is invalid.
    Bad(BadResponse),
    /// The endpoint is too slow.
    TooSlow(Deadline),
}

/// The reason why no more of a request's body is accepted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BodyRefusal {
    /// It is invalid or too slow.
    Unreadable(RequestRefusal),
    /// It is larger than `max_body` of the route.
    TooLarge,
}

impl BodyRefusal {
    /// Returns the reason as an outcome.
    pub const fn reason(self) -> Reason {
        match self {
            Self::Unreadable(refusal) => Reason::Body(refusal),
            Self::TooLarge => Reason::Rejected(Rejection::BodyTooLarge),
        }
    }

    /// Returns the status of the response.
    pub const fn status(self) -> u16 {
        match self {
            Self::Unreadable(refusal) => refusal.status(),
            Self::TooLarge => Rejection::BodyTooLarge.status(),
        }
    }
}

/// One try: both sides, and its parameters.
pub struct Duplex<'a, C> {
    /// The endpoint's side.
    pub side: &'a mut EndpointSide,
    /// The client.
    pub client: &'a mut C,
    /// The endpoint's connection.
    pub endpoint: &'a mut UpstreamStream,
    timer: &'a mut Timer,
    terms: TryContext<'a>,
    clocks: Clocks,
    budget: usize,
}

impl<C> std::fmt::Debug for Duplex<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Duplex").finish_non_exhaustive()
    }
}

/// The waits that are in progress.
#[derive(Debug, Default)]
struct Clocks {
    /// For the client to send more of its body.
    body: Wait,
    /// For the endpoint to accept more of the request.
    endpoint_write: Wait,
    /// For the client to accept more of the response.
    client_write: Wait,
    /// For the endpoint to send more of its response.
    reading: bool,
    /// Time of the last I/O with the endpoint.
    endpoint: Option<Instant>,
    /// Bytes of the request body received.
    received: u64,
}

/// The parameters of a [`Duplex`].
#[derive(Clone, Copy, Debug)]
pub struct TryContext<'a> {
    /// The destination of the request.
    pub upstream: &'a Upstream,
    /// The fields added to the response.
    pub additions: &'a FieldList,
    /// The conditions of this try.
    pub attempt: Attempt,
    /// The limits for clients.
    pub limits: &'a ClientLimits,
    /// The current date.
    pub date: DateText,
    /// The source of buffers.
    pub buffers: &'a Buffers,
}

impl TryContext<'_> {
    /// Returns the changes to the response.
    fn changes(&self) -> ResponseChanges<'_> {
        ResponseChanges {
            route: &self.upstream.route.rules.response_edits,
            additions: self.additions,
            date: &self.date,
        }
    }
}

impl<'a, C: ClientSide> Duplex<'a, C> {
    /// Creates a try on these connections.
    pub fn new(
        side: &'a mut EndpointSide,
        client: &'a mut C,
        endpoint: &'a mut UpstreamStream,
        timer: &'a mut Timer,
        terms: TryContext<'a>,
    ) -> Self {
        client.await_response();
        side.begin();
        Self {
            side,
            client,
            endpoint,
            timer,
            terms,
            clocks: Clocks::default(),
            budget: TURN,
        }
    }

    /// Moves data in both directions until that would block. Ready when the try is over.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<TryEnd> {
        self.budget = TURN;
        if self.clocks.endpoint.is_none() {
            self.clocks.endpoint = Some(now);
        }
        // Read an early response first: the handling of the rest of the request body depends on it.
        // RFC 9112 section 9.5: a client that sends a body watches for a response meanwhile.
        if self.side.up.out.has_sent()
            && !self.side.up.is_ended()
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

    /// Consumes part of the turn. `false` if the turn is over, in which case the task is woken again.
    fn spend(&mut self, cx: &Context<'_>, count: usize) -> bool {
        self.budget = self.budget.saturating_sub(count);
        if self.budget == 0 {
            cx.waker().wake_by_ref();
        }
        self.budget > 0
    }

    /// Returns the facts for the retry decision in case the request fails now.
    fn failed(&self, answered: bool) -> Failed {
        let idempotent = self.client.facts().idempotent;
        self.side.failed(idempotent, self.terms.attempt, answered)
    }

    /// Returns whether the head of a final response has been staged for the client.
    const fn has_head(&self) -> bool {
        self.side.progress.status != 0
    }
}

impl From<BadBody> for RequestRefusal {
    fn from(bad: BadBody) -> Self {
        match bad {
            BadBody::ChunkSize => Self::ChunkSize,
            BadBody::ChunkEnd => Self::ChunkEnd,
            BadBody::Trailer => Self::Trailer,
        }
    }
}

impl From<BadBody> for BodyRefusal {
    fn from(bad: BadBody) -> Self {
        Self::Unreadable(bad.into())
    }
}
