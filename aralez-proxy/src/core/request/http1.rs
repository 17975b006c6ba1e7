//! HTTP/1 as bytes: heads, bodies and their framing. Pure, without I/O.
//!
//! Three functions parse bytes of a peer, and each can be called again when more bytes have arrived: [`request::RequestHead::read`],
//! [`response::ResponseHead::read`] and [`body::Body::take`]. They keep ranges into the caller's buffer. Two functions write forwarded
//! heads: [`forward::request`] and [`forward::response`]; [`answer`] writes the proxy's own responses ([`aralez_decision::answer`]).
//!
//! The parser is strict with clients: input that two readers could interpret differently is a named [`RequestRefusal`], and no byte of it
//! is forwarded. From endpoints ([`response::BadResponse`]) it also accepts what every reader frames alike, and writes it in normal form:
//! line ends of LF alone, folded lines, spaces after a chunk size, a length that is repeated or combined with chunks, later minor versions,
//! control bytes in reasons and values. docs/engine.md has the table of both sides.
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
pub mod opening;
pub mod question;
mod reasons;
pub mod request;
mod request_refusal;
pub mod response;
#[cfg(test)]
mod tests;

pub use request_refusal::RequestRefusal;

/// A range of the caller's bytes. Heads and bodies are bounded far below 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Makes the range from `start` up to `end`, exclusive.
    pub const fn new(start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
        }
    }

    /// Returns the bytes of this range; empty if `bytes` is not the buffer that was parsed.
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// Offset of the first byte.
    pub const fn start(self) -> usize {
        self.start as usize
    }

    /// Offset behind the last byte.
    pub const fn end(self) -> usize {
        self.end as usize
    }
}

/// The supported versions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HttpVersion {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
}

impl HttpVersion {
    /// Parses the version of a first line. `None` if it is not supported.
    pub const fn of(text: &[u8]) -> Option<Self> {
        // RFC 9112 section 2.3: a version is `HTTP/` in upper case, a digit, a dot and a digit.
        match text {
            b"HTTP/1.1" => Some(Self::Http11),
            b"HTTP/1.0" => Some(Self::Http10),
            _ => None,
        }
    }

    /// Returns the version as written in a first line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}

/// The framing of a body, which determines its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Framing {
    /// There is no body.
    #[default]
    None,
    /// A body of this many bytes.
    Length(u64),
    /// Chunked, up to the empty last chunk.
    Chunked,
    /// All bytes until the connection closes. Responses only.
    UntilClose,
}
