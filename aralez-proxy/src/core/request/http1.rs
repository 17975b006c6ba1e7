//! HTTP/1 as bytes: heads, bodies and their framing, pure and without any input or output.
//!
//! Three functions read what comes from a peer, and each can be called again when more bytes are there:
//! [`request::RequestHead::read`], [`response::ResponseHead::read`] and [`body::Body::take`]. What they keep are places in the caller's
//! bytes. Two functions write what goes on: [`forward::request`] and [`forward::response`]; [`answer`] writes our own answers ([`crate::core::request::answer`]).
//!
//! The gate is strict where the peer is a client: what two readers could take differently is a [`RequestRefusal`], by name, and not a byte of it
//! goes on. Of an endpoint ([`response::BadResponse`]) it takes besides what every reader frames alike, and writes it anew: line ends of LF
//! alone, folded lines, spaces behind a chunk's size, a length that is repeated or stands beside chunks, later minor versions, control bytes
//! in reasons and values. docs/engine.md has the table of both sides.
//!
//! | rule | where | from |
//! |---|---|---|
//! | lines end in CRLF, no CR or LF alone | [`lines`] | RFC 9112 section 2.2 |
//! | request line, target, version, method | [`request`] | RFC 9112 section 3 |
//! | field syntax, no folding, no space before the colon | [`field`] | RFC 9112 section 5, RFC 9110 section 5 |
//! | one `Host`, equal to an absolute target's authority | [`request`] | RFC 9112 sections 3.2 and 3.3, RFC 9110 section 7.2 |
//! | body length: one of none, `Content-Length`, chunked | [`request`], [`response`] | RFC 9112 section 6 |
//! | chunks, extensions, trailers | [`body`] | RFC 9112 section 7 |
//! | hop-by-hop fields, `Connection`, `Upgrade`, `TE`, `Expect` | [`request`], [`forward`] | RFC 9110 sections 7.6, 7.8, 10.1 |
//! | statuses without a body, informational responses | [`response`] | RFC 9112 section 6.3, RFC 9110 section 15.2 |

pub mod answer;
pub mod body;
pub mod date;
pub mod field;
pub mod forward;
pub mod lines;
pub mod octets;
pub mod opening;
mod reasons;
pub mod request;
mod request_refusal;
pub mod response;
#[cfg(test)]
mod tests;

pub use request_refusal::RequestRefusal;

/// A place in the caller's bytes. Heads and bodies are bounded far below 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// From `start` up to `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    /// The bytes at this place; empty where the caller's bytes are not those that were read.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// Where it begins.
    pub const fn start(self) -> usize {
        self.start as usize
    }

    /// Where it ends.
    pub const fn end(self) -> usize {
        self.end as usize
    }
}

/// The versions that are spoken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HttpVersion {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
}

impl HttpVersion {
    /// The version as it stands in a first line; `None`: one that is not spoken.
    pub const fn of(text: &[u8]) -> Option<Self> {
        match text {
            b"HTTP/1.1" => Some(Self::Http11),
            b"HTTP/1.0" => Some(Self::Http10),
            _ => None,
        }
    }

    /// As it stands in a first line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}

/// How the end of a body is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Framing {
    /// There is no body.
    #[default]
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, the last of which is empty.
    Chunked,
    /// Everything until the connection ends. Responses only.
    UntilClose,
}
