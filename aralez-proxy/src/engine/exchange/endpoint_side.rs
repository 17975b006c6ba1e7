//! The endpoint's side of an exchange: an endpoint of HTTP/1.

use crate::core::request::http1::response::ResponseHead;
use crate::core::request::retry::{Attempt, Failed};
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::io::body_relay::BodyRelay;
use crate::engine::io::buffer::Buffer;

/// What an exchange has of its endpoint, and what outlives a try at one.
#[derive(Debug, Default)]
pub struct EndpointSide {
    /// From the client to the endpoint.
    pub up: BodyRelay,
    /// How long the head of the request is, which stands in front of what is on its way.
    pub head_length: usize,
    /// The response's head.
    pub head: ResponseHead,
    /// What came from the endpoint and is not dealt with.
    pub buffer: Buffer,
    /// Where the response stands.
    pub progress: Progress,
}

/// What a download has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ResponsePhase {
    /// The head is coming.
    #[default]
    Head,
    /// The body is coming.
    Body,
    /// There is no more: the protocol was switched.
    Switched,
}

/// Where a response stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// What the download has come to.
    pub phase: ResponsePhase,
    /// A byte came from the endpoint.
    pub touched: bool,
    /// The status that the client gets; 0 before its head is on its way.
    pub status: u16,
    /// The endpoint's connection can stay open.
    pub keep_endpoint: bool,
    /// The upload was given up: the endpoint takes no more.
    pub stopped: bool,
    /// What was sent to the client before the head of the final response.
    pub before: u64,
    /// Informational responses that came.
    pub informational: u8,
    /// One of them was a 100.
    pub continued: bool,
}

impl EndpointSide {
    /// A response is awaited.
    pub fn begin(&mut self) {
        self.head.clear();
        self.progress = Progress::default();
    }

    /// What is known of a request that failed on a connection.
    pub const fn failed(&self, idempotent: bool, attempt: Attempt, answered: bool) -> Failed {
        Failed {
            attempt,
            answered,
            sent: self.up.out.has_sent(),
            idempotent,
            kept: self.up.out.is_kept(),
        }
    }

    /// Whether all of the request is with the endpoint.
    pub const fn has_taken_all(&self) -> bool {
        self.up.is_ended() && self.up.out.is_empty() && !self.progress.stopped
    }

    /// Whether bytes of a final response, or half of an informational one, are with the client: no other answer can follow.
    pub fn is_answered(&self, client: &impl ClientSide) -> bool {
        if self.progress.status == 0 {
            client.has_unsent()
        } else {
            client.sent() != self.progress.before
        }
    }
}
