//! Facts about one request that its exchange needs after the head is released, independent of the client's protocol.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::rules::Timeouts;

use crate::core::request::balance::CompiledPool;
use crate::core::request::http1::Framing;
use crate::core::request::http1::request::RequestOptions;
use crate::core::request::http1::response::Asked;
use crate::core::request::retry;
use aralez_decision::client::ClientFacts;
use aralez_decision::decide::ForwardedTarget;
use aralez_decision::table::CompiledRoute;

/// The facts about one request.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// When the whole head had been read.
    pub started: Instant,
    /// The framing of its body.
    pub framing: Framing,
    /// The connection options of the request.
    pub options: RequestOptions,
    /// The properties of the request that affect the response.
    pub asked: Asked,
    /// The request may safely be sent to an endpoint twice.
    pub idempotent: bool,
}

impl Facts {
    /// Returns the facts of a request whose head could not be parsed: where its body ends is unknown.
    pub fn unknown(now: Instant) -> Self {
        Self {
            started: now,
            framing: Framing::UntilClose,
            options: RequestOptions::default(),
            asked: Asked::default(),
            idempotent: false,
        }
    }

    /// Reports whether the client sends nothing after this head: the request has no body and asks to close the connection. A client that
    /// asked for keep-alive may already be sending the next request.
    pub const fn is_last(&self) -> bool {
        !self.has_body() && !self.options.keep_alive
    }

    /// Returns the number of sent bytes to retain for a replay.
    pub const fn keeps(&self) -> usize {
        if self.idempotent {
            retry::LARGEST_REPLAY
        } else {
            0
        }
    }

    /// Reports whether a body follows the head.
    pub const fn has_body(&self) -> bool {
        !matches!(self.framing, Framing::None | Framing::Length(0))
    }
}

/// The destination of a request.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The matched route.
    pub route: Arc<CompiledRoute>,
    /// The pool to choose an endpoint from.
    pub pool: Arc<CompiledPool>,
    /// The path and query as forwarded.
    pub target: ForwardedTarget,
    /// The client, as the endpoint learns it.
    pub client: ClientFacts,
}

impl Upstream {
    /// Returns the timeouts of the route.
    pub fn timeouts(&self) -> Timeouts {
        self.route.rules.others.timeouts
    }

    /// Returns the largest number of bytes of content that the request may have. `None` if the route sets no limit.
    pub fn most_body(&self) -> Option<u64> {
        self.route.rules.others.max_body.value().map(u64::from)
    }

    /// Returns the deadline of the whole exchange. `None` if the route sets none.
    pub fn end_of(&self, facts: &Facts) -> Option<Instant> {
        limit(self.timeouts().total).map(|total| facts.started + total)
    }
}

/// Returns a configured limit, with zero meaning no limit.
pub fn limit(said: Option<Duration>) -> Option<Duration> {
    said.filter(|limit| !limit.is_zero())
}
