//! The endpoint's side of an exchange: an HTTP/1 endpoint.

use crate::core::request::http1::response::{BadResponse, ResponseHead};
use crate::core::request::retry::{Attempt, Failed};
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::io::body_relay::BodyRelay;
use crate::engine::io::buffer::Buffer;

/// State of the endpoint's side of an exchange. Its buffers are reused across tries.
#[derive(Debug, Default)]
pub struct EndpointSide {
    /// Relay from the client to the endpoint.
    pub up: BodyRelay,
    /// Length of the request head at the front of the pending output.
    pub head_length: usize,
    /// The response head.
    pub head: ResponseHead,
    /// Bytes received from the endpoint that are not processed yet.
    pub buffer: Buffer,
    /// Progress of the response.
    pub progress: Progress,
}

/// The phase of a response.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ResponsePhase {
    /// Waiting for the head.
    #[default]
    Head,
    /// Relaying the body.
    Body,
    /// The protocol was switched: nothing more is parsed.
    Switched,
}

/// Progress of one response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// The current phase.
    pub phase: ResponsePhase,
    /// The endpoint sent at least one byte.
    pub touched: bool,
    /// The status sent to the client; 0 until its head is staged.
    pub status: u16,
    /// The endpoint connection can be kept alive.
    pub keep_endpoint: bool,
    /// The upload was abandoned: the endpoint accepts no more of the request.
    pub stopped: bool,
    /// Bytes sent to the client before the head of the final response.
    pub before: u64,
    /// Number of informational responses received.
    pub informational: u8,
    /// One of them was a 100.
    pub continued: bool,
}

/// Maximum number of informational responses before the final one.
///
/// RFC 9110 section 15.2: a client accepts one or more 1xx responses before the final one; stricter: more than 16 are refused.
const MAX_INFORMATIONAL: u8 = 16;

impl Progress {
    /// Counts an informational response.
    ///
    /// # Errors
    /// [`BadResponse::Informational`] if there are too many.
    pub const fn count_informational(&mut self) -> Result<(), BadResponse> {
        self.informational += 1;
        if self.informational > MAX_INFORMATIONAL {
            return Err(BadResponse::Informational);
        }
        Ok(())
    }
}

impl EndpointSide {
    /// Resets the response state before a new response is awaited.
    pub fn begin(&mut self) {
        self.head.clear();
        self.progress = Progress::default();
    }

    /// Returns the facts from which the retry decision about a failed request is made.
    pub const fn failed(&self, idempotent: bool, attempt: Attempt, answered: bool) -> Failed {
        Failed {
            attempt,
            answered,
            sent: self.up.out.has_sent(),
            idempotent,
            kept: self.up.out.is_kept(),
        }
    }

    /// Reports whether the endpoint received the whole request.
    pub const fn has_taken_all(&self) -> bool {
        self.up.is_ended() && self.up.out.is_empty() && !self.progress.stopped
    }

    /// Reports whether the client received part of a final response, or part of an unfinished informational one: no other answer can
    /// follow.
    pub fn is_answered(&self, client: &impl ClientSide) -> bool {
        if self.progress.status == 0 {
            client.has_unsent()
        } else {
            client.sent() != self.progress.before
        }
    }
}
