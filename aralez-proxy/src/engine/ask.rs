//! What was asked: the facts of one request that its exchange needs, after its head is gone from the buffer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::rules::Timeouts;

use crate::core::balance::CompiledPool;
use crate::core::http1::request::Wishes;
use crate::core::http1::response::Asked;
use crate::core::http1::{Framing, Version};
use crate::core::table::CompiledRoute;

/// One request.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// When its head was there.
    pub started: Instant,
    /// The client's version.
    pub version: Version,
    /// How the end of its body is told.
    pub framing: Framing,
    /// What it asks of the connection.
    pub wishes: Wishes,
    /// What it means for the response.
    pub asked: Asked,
    /// An endpoint may see it twice.
    pub idempotent: bool,
}

/// Where a request goes.
#[derive(Clone, Debug)]
pub struct Way {
    /// Its route.
    pub route: Arc<CompiledRoute>,
    /// The pool to choose from.
    pub pool: Arc<CompiledPool>,
}

impl Way {
    /// The time limits of the route.
    pub fn timeouts(&self) -> Timeouts {
        self.route.rules.said.timeouts
    }

    /// When the whole exchange must be over.
    pub fn end_of(&self, ask: &Ask) -> Option<Instant> {
        limit(self.timeouts().total).map(|total| ask.started + total)
    }
}

/// A limit: zero asks for none.
pub fn limit(said: Option<Duration>) -> Option<Duration> {
    said.filter(|limit| !limit.is_zero())
}

impl Ask {
    /// Whether the client sends nothing after its head: there is no body, and it asked for the end. One that hoped for more may be sending
    /// it already.
    pub const fn is_last(&self) -> bool {
        !self.has_body() && !self.wishes.keep_alive
    }

    /// Whether a body follows.
    pub const fn has_body(&self) -> bool {
        !matches!(self.framing, Framing::None | Framing::Length(0))
    }
}
