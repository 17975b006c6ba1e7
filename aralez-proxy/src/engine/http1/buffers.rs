//! Buffers of an HTTP/1 client, held only while its connection is active.

use std::time::Instant;

use crate::core::request::http1::request::{HeadFields, RequestHead};
use crate::core::request::http1::response::Asked;
use crate::core::request::retry;
use crate::engine::exchange::facts::Facts;
use crate::engine::io::body_relay::BodyRelay;
use crate::engine::io::buffer::Buffer;

/// The client's half of the buffers of an exchange.
#[derive(Debug, Default)]
pub struct ClientBuffers {
    /// The request head. Its bytes stay set aside in [`ClientBuffers::incoming`] while the exchange needs them.
    pub head: RequestHead,
    /// Bytes received from the client that are not processed yet.
    pub incoming: Buffer,
    /// Relay to the client, of an endpoint's response or of a local answer.
    pub down: BodyRelay,
}

impl ClientBuffers {
    /// Returns the facts about the request whose head is set aside.
    pub fn facts(&self, now: Instant) -> Facts {
        let bytes = self.incoming.aside();
        let method = self.head.method(bytes);
        let options = self.head.options(bytes);
        Facts {
            started: now,
            framing: self.head.framing(),
            options,
            asked: Asked {
                head: method == "HEAD",
                web_socket: options.web_socket,
            },
            idempotent: retry::is_idempotent(method),
        }
    }

    /// Returns the method. Valid only while the head is set aside.
    pub fn method(&self) -> &str {
        self.head.method(self.incoming.aside())
    }

    /// Returns the header fields. Valid only while the head is set aside.
    pub fn fields(&self) -> HeadFields<'_> {
        HeadFields::new(&self.head, self.incoming.aside())
    }
}
