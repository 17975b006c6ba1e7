//! What a client of HTTP/1 needs while something runs on its connection.

use std::time::Instant;

use crate::core::request::http1::request::{HeadFields, RequestHead};
use crate::core::request::http1::response::Asked;
use crate::core::request::retry;
use crate::engine::exchange::facts::Facts;
use crate::engine::io::body_relay::BodyRelay;
use crate::engine::io::buffer::Buffer;

/// The client's half of an exchange's buffers.
#[derive(Debug, Default)]
pub struct ClientBuffers {
    /// The head of the request. While an exchange needs it, its bytes are set aside in [`ClientBuffers::incoming`].
    pub head: RequestHead,
    /// What came from the client and is not dealt with.
    pub incoming: Buffer,
    /// From the endpoint, or from us, to the client.
    pub down: BodyRelay,
}

impl ClientBuffers {
    /// The facts of the request whose head is set aside.
    pub fn facts(&self, now: Instant) -> Facts {
        let bytes = self.incoming.aside();
        let method = self.head.method(bytes);
        let wishes = self.head.wishes(bytes);
        Facts {
            started: now,
            framing: self.head.framing(),
            wishes,
            asked: Asked {
                head: method == "HEAD",
                web_socket: wishes.web_socket,
            },
            idempotent: retry::is_idempotent(method),
        }
    }

    /// The method, while the head is set aside.
    pub fn method(&self) -> &str {
        self.head.method(self.incoming.aside())
    }

    /// The fields, while the head is set aside.
    pub fn fields(&self) -> HeadFields<'_> {
        HeadFields::new(&self.head, self.incoming.aside())
    }
}
