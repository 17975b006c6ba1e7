//! One try at an endpoint of HTTP/1: both directions of one request between its client and the endpoint's connection, polled together in one
//! future.
//!
//! Nothing is spawned and no channel stands between the directions. Each tries first and waits after; while an answer is awaited the
//! client is watched, so that one that goes away is noticed.

use std::task::{Context, Poll};
use std::time::Instant;

use crate::core::limits::ClientLimits;
use crate::core::request::additions::FieldList;
use crate::core::request::http1::RequestRefusal;
use crate::core::request::http1::body::BadBody;
use crate::core::request::http1::date::DateText;
use crate::core::request::http1::response::BadResponse;
use crate::core::request::retry::{Attempt, Failed};
use crate::core::traffic::Deadline;
use crate::engine::exchange::client_side::{ClientSide, ResponseChanges};
use crate::engine::exchange::endpoint_side::EndpointSide;
use crate::engine::exchange::facts::Upstream;
use crate::engine::io::buffer::Buffers;
use crate::engine::io::stall::Wait;
use crate::engine::io::timer::Timer;
use crate::engine::upstream::stream::UpstreamStream;

mod deadlines;
mod download;
mod upload;

/// Bytes that one exchange may move before others get their turn.
const TURN: usize = 256 * 1024;

/// How a try ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TryEnd {
    /// The response is with the client.
    Done,
    /// Both sides agreed to a WebSocket.
    Switched,
    /// The client is gone, or takes nothing.
    ClientGone(Option<Deadline>),
    /// The client's body is not fit to go on.
    Refused(RequestRefusal, Option<Deadline>),
    /// The endpoint ended a kept connection with a 408 while the request was on its way to it; the request is to be sent again.
    IdleTimeout,
    /// The endpoint's answer is not fit to go on.
    Bad(BadResponse),
    /// The endpoint is too slow.
    TooSlow(Deadline),
}

/// One try: both sides, and the rules that hold.
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
pub struct TryContext<'a> {
    /// Where the request goes.
    pub upstream: &'a Upstream,
    /// What is added to the response.
    pub additions: &'a FieldList,
    /// How it is sent.
    pub attempt: Attempt,
    /// The limits of clients.
    pub limits: &'a ClientLimits,
    /// The date of now.
    pub date: DateText,
    /// Where buffers come from.
    pub buffers: &'a Buffers,
}

impl TryContext<'_> {
    /// How the response is changed.
    fn changes(&self) -> ResponseChanges<'_> {
        ResponseChanges {
            route: &self.upstream.route.rules.response_edits,
            additions: self.additions,
            date: &self.date,
        }
    }
}

impl<'a, C: ClientSide> Duplex<'a, C> {
    /// A try on these connections.
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

    /// Moves both directions as far as they go. Ready: it is over.
    pub fn poll(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<TryEnd> {
        self.budget = TURN;
        if self.clocks.endpoint.is_none() {
            self.clocks.endpoint = Some(now);
        }
        // An answer that is there already came before the rest of the body, and has to be known for that.
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

    /// Takes from the turn; `false`: it is over, and the task comes again after the others.
    fn spend(&mut self, cx: &Context<'_>, count: usize) -> bool {
        self.budget = self.budget.saturating_sub(count);
        if self.budget == 0 {
            cx.waker().wake_by_ref();
        }
        self.budget > 0
    }

    /// What is known of the request if it fails now.
    fn failed(&self, answered: bool) -> Failed {
        let idempotent = self.client.facts().idempotent;
        self.side.failed(idempotent, self.terms.attempt, answered)
    }

    /// Whether the head of a final response is on its way to the client.
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
