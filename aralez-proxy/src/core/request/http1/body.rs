//! The end of a body, and the data within its framing.

use std::ops::Range;

use crate::core::request::http1::Framing;
use aralez_decision::fields;
use aralez_decision::octets;

mod chunk;
#[cfg(test)]
mod tests;

use chunk::Chunk;

/// Longest chunk size line with its extensions, in bytes. Extensions mean nothing to a proxy and are not forwarded.
///
/// RFC 9112 section 7.1.1: a server limits the length of chunk extensions, and refuses longer ones.
const LONGEST_CHUNK_LINE: usize = 256;
/// Largest trailer section, in bytes.
const LARGEST_TRAILERS: usize = 8 * 1024;
/// Maximum number of fields in a trailer section.
const MOST_TRAILERS: usize = 32;

/// The reason why a body is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadBody {
    /// A chunk's size is malformed.
    ChunkSize,
    /// A chunk's data is not followed by CRLF.
    ChunkEnd,
    /// The trailer section is malformed or too large.
    Trailer,
}

/// The bytes that one call of [`Body::take`] consumed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Consumed {
    /// Range of the data, which is now contiguous.
    pub data: Range<usize>,
    /// Number of consumed bytes, data and framing.
    pub consumed: usize,
}

/// The sender of a body. Some framing that is accepted from an endpoint is refused from a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sender {
    /// A client: the framing must be exact.
    #[default]
    Client,
    /// An endpoint: framing lines may end in LF alone, and spaces may follow a chunk size. Neither moves the end of the counted data, and
    /// the framing is written again.
    Endpoint,
}

/// The state of reading a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    state: State,
    sender: Sender,
    trailers: Vec<u8>,
    trailer_bytes: usize,
    trailer_fields: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Done,
    /// Number of bytes still to come.
    Length(u64),
    UntilClose,
    /// The next bytes are a chunk size line.
    Size,
    /// Number of bytes of the chunk still to come.
    Data(u64),
    /// The next bytes are the CRLF after a chunk's data.
    DataEnd,
    Trailers,
}

impl Default for Body {
    fn default() -> Self {
        Self::new(Framing::None, Sender::Client)
    }
}

impl Body {
    /// Starts to read a body with this framing.
    pub const fn new(framing: Framing, sender: Sender) -> Self {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::Size,
            Framing::UntilClose => State::UntilClose,
        };
        Self {
            state,
            sender,
            trailers: Vec::new(),
            trailer_bytes: 0,
            trailer_fields: 0,
        }
    }

    /// Reports whether the whole body was consumed.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Reports whether the body is complete if the connection closes now.
    pub fn ends_with_connection(&self) -> bool {
        // RFC 9112 section 8: a body with a length or in chunks is incomplete if the connection closes before its end; only a
        // close-delimited one is completed by it.
        matches!(self.state, State::UntilClose | State::Done)
    }

    /// Skips bytes of a body with a length.
    pub fn skip(&mut self, count: u64) {
        if let State::Length(left) = self.state {
            self.state = match left.saturating_sub(count) {
                0 => State::Done,
                left => State::Length(left),
            };
        }
    }

    /// Returns the trailer fields to forward, as whole lines.
    pub fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Consumes bytes of the body from the front of `bytes`. Data of several chunks is moved together, so that it can be written in one
    /// piece. The caller passes unconsumed bytes again at the front of the next call; at most 8 KiB of them are incomplete framing.
    ///
    /// # Errors
    /// [`BadBody`]. The result does not depend on how the bytes are split over calls.
    pub fn take(&mut self, bytes: &mut [u8]) -> Result<Consumed, BadBody> {
        let mut taken = Consumed::default();
        while self.state != State::Done {
            let from = taken.consumed;
            match self.state {
                State::Done => {}
                State::UntilClose => self.take_data(bytes, &mut taken, u64::MAX),
                State::Length(left) | State::Data(left) => self.take_data(bytes, &mut taken, left),
                State::Size => {
                    let Some(chunk) = Chunk::read(&bytes[from..], self.sender)? else {
                        break;
                    };
                    taken.consumed += chunk.line;
                    // RFC 9112 section 7.1: a chunk of size zero is the last one, and the trailer section follows it.
                    self.state = if chunk.size == 0 {
                        State::Trailers
                    } else {
                        State::Data(chunk.size)
                    };
                }
                State::DataEnd => {
                    // RFC 9112 section 7.1: the data of a chunk is followed by CRLF.
                    // RFC 9112 section 2.2: a recipient may accept LF alone as the end of a line, as the proxy does from an endpoint.
                    taken.consumed += match (&bytes[from..], self.sender) {
                        ([b'\r', b'\n', ..], _) => 2,
                        ([b'\n', ..], Sender::Endpoint) => 1,
                        ([] | [b'\r'], _) => break,
                        _ => return Err(BadBody::ChunkEnd),
                    };
                    self.state = State::Size;
                }
                State::Trailers => {
                    let Some(line) = self.take_trailer(&bytes[from..])? else {
                        break;
                    };
                    taken.consumed += line;
                }
            }
            if taken.consumed == from {
                break;
            }
        }
        Ok(taken)
    }

    /// Consumes up to `left` bytes of data, and moves them next to the data consumed before.
    fn take_data(&mut self, bytes: &mut [u8], taken: &mut Consumed, left: u64) {
        let from = taken.consumed;
        let here = bytes.len() - from;
        // RFC 9112 section 6.3: a body with a length consists of exactly that many bytes, and any further byte is not part of it.
        let count = usize::try_from(left).map_or(here, |left| here.min(left));
        if taken.data.is_empty() {
            taken.data = from..from + count;
        } else {
            bytes.copy_within(from..from + count, taken.data.end);
            taken.data.end += count;
        }
        taken.consumed += count;
        let left = left - count as u64;
        self.state = match self.state {
            State::Length(_) if left == 0 => State::Done,
            State::Length(_) => State::Length(left),
            State::Data(_) if left == 0 => State::DataEnd,
            State::Data(_) => State::Data(left),
            state => state,
        };
    }

    /// Consumes one line of the trailer section. Returns its length, or `None` if it is incomplete.
    fn take_trailer(&mut self, bytes: &[u8]) -> Result<Option<usize>, BadBody> {
        let Some(feed) = memchr::memchr(b'\n', bytes) else {
            return if self.trailer_bytes + bytes.len() > LARGEST_TRAILERS {
                Err(BadBody::Trailer)
            } else {
                Ok(None)
            };
        };
        self.trailer_bytes += feed + 1;
        let line = match (bytes[..feed].strip_suffix(b"\r"), self.sender) {
            (Some(line), _) => line,
            // RFC 9112 section 2.2: a recipient may accept LF alone as the end of a line, as the proxy does from an endpoint.
            (None, Sender::Endpoint) => &bytes[..feed],
            // RFC 9112 section 2.2: a line ends in CRLF; stricter: LF alone, which a recipient may accept, is refused from a client.
            (None, Sender::Client) => return Err(BadBody::Trailer),
        };
        if self.trailer_bytes > LARGEST_TRAILERS {
            return Err(BadBody::Trailer);
        }
        if line.is_empty() {
            self.state = State::Done;
            return Ok(Some(feed + 1));
        }
        self.trailer_fields += 1;
        let colon = memchr::memchr(b':', line).ok_or(BadBody::Trailer)?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        // RFC 9112 section 7.1.2: a trailer section consists of field lines; a malformed one makes the body invalid.
        let fit = octets::is_token(name) && octets::is_value(value);
        if !fit || self.trailer_fields > MOST_TRAILERS {
            return Err(BadBody::Trailer);
        }
        // RFC 9112 section 7.1.2: a received trailer field is forwarded as one or discarded, and never merged into the header section.
        if fields::may_trail(name) {
            self.trailers.extend_from_slice(line);
            self.trailers.extend_from_slice(b"\r\n");
        }
        Ok(Some(feed + 1))
    }
}
