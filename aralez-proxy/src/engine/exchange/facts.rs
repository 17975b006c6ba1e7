//! The facts of one request that its exchange needs after its head is gone, whatever protocol carried it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::rules::Timeouts;

use crate::core::request::balance::CompiledPool;
use crate::core::request::decide::ForwardedTarget;
use crate::core::request::http1::Framing;
use crate::core::request::http1::request::Wishes;
use crate::core::request::http1::response::Asked;
use crate::core::request::retry;
use crate::core::request::table::CompiledRoute;

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// When its head was there.
    pub started: Instant,
    /// How the end of its body is told.
    pub framing: Framing,
    /// What it asks of the connection.
    pub wishes: Wishes,
    /// What it means for the response.
    pub asked: Asked,
    /// An endpoint may see it twice.
    pub idempotent: bool,
}

impl Facts {
    /// A request whose head was not understood: nobody knows where it ends.
    pub fn unknown(now: Instant) -> Self {
        Self {
            started: now,
            framing: Framing::UntilClose,
            wishes: Wishes::default(),
            asked: Asked::default(),
            idempotent: false,
        }
    }

    /// Whether the client sends nothing after its head: there is no body, and it asked for the end. One that hoped for more may be sending
    /// it already.
    pub const fn is_last(&self) -> bool {
        !self.has_body() && !self.wishes.keep_alive
    }

    /// Up to which size what is sent of it is kept, to be sent again.
    pub const fn keeps(&self) -> usize {
        if self.idempotent {
            retry::LARGEST_REPLAY
        } else {
            0
        }
    }

    /// Whether a body follows.
    pub const fn has_body(&self) -> bool {
        !matches!(self.framing, Framing::None | Framing::Length(0))
    }
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its route.
    pub route: Arc<CompiledRoute>,
    /// The pool to choose from.
    pub pool: Arc<CompiledPool>,
    /// The path and the query as they are forwarded.
    pub target: ForwardedTarget,
}

impl Upstream {
    /// The time limits of the route.
    pub fn timeouts(&self) -> Timeouts {
        self.route.rules.said.timeouts
    }

    /// When the whole exchange must be over.
    pub fn end_of(&self, facts: &Facts) -> Option<Instant> {
        limit(self.timeouts().total).map(|total| facts.started + total)
    }
}

/// A limit: zero asks for none.
pub fn limit(said: Option<Duration>) -> Option<Duration> {
    said.filter(|limit| !limit.is_zero())
}
