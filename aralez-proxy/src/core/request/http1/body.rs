//! Where a body ends, and what of the bytes is its data.

use std::ops::Range;

use crate::core::request::fields;
use crate::core::request::http1::Framing;
use crate::core::request::http1::octets;

mod chunk;
#[cfg(test)]
mod tests;

use chunk::Chunk;

/// Longest line of a chunk's size with its extensions, in bytes. Extensions mean nothing to a proxy and go no further.
const LONGEST_CHUNK_LINE: usize = 256;
/// Largest trailer section, in bytes.
const LARGEST_TRAILERS: usize = 8 * 1024;
/// Most fields of a trailer section.
const MOST_TRAILERS: usize = 32;

/// Why a body is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadBody {
    /// A chunk's size is malformed.
    ChunkSize,
    /// A chunk's data is not followed by CRLF.
    ChunkEnd,
    /// The trailer section is malformed or too large.
    Trailer,
}

/// What was taken of the bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Consumed {
    /// The data, which now stands in one piece there.
    pub data: Range<usize>,
    /// How many bytes are done with, data and framing.
    pub consumed: usize,
}

/// Who sends a body: what is taken of an endpoint's framing is refused of a client's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Sender {
    /// A client: the framing must be exact.
    #[default]
    Client,
    /// An endpoint: lines of the framing may end in LF alone, and spaces may follow a chunk's size. The data is counted, so that neither
    /// moves where it ends, and all of it is written anew.
    Endpoint,
}

/// A body as it is read.
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
    /// So many bytes are to come.
    Length(u64),
    UntilClose,
    /// A chunk's size is next.
    Size,
    /// So many bytes of a chunk are to come.
    Data(u64),
    /// The CRLF behind a chunk's data is next.
    DataEnd,
    Trailers,
}

impl Default for Body {
    fn default() -> Self {
        Self::new(Framing::None, Sender::Client)
    }
}

impl Body {
    /// A body that is framed so.
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

    /// Whether all of it was taken.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the end of the connection is its end.
    pub fn ends_with_connection(&self) -> bool {
        matches!(self.state, State::UntilClose | State::Done)
    }

    /// What of its trailer section may go on, as whole lines.
    pub fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Takes from the front of `bytes` what belongs to the body. Data that stands in several chunks is moved together, so that it can be
    /// written in one piece. What is not consumed must stand at the front at the next call; at most 8 KiB of it are framing that is not
    /// whole yet.
    ///
    /// # Errors
    /// [`BadBody`]. The answer is the same, however the bytes are split over calls.
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
                    self.state = if chunk.size == 0 {
                        State::Trailers
                    } else {
                        State::Data(chunk.size)
                    };
                }
                State::DataEnd => {
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

    /// Takes up to `left` bytes of data, and moves them to the data that was taken before.
    fn take_data(&mut self, bytes: &mut [u8], taken: &mut Consumed, left: u64) {
        let from = taken.consumed;
        let here = bytes.len() - from;
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

    /// Takes one line of the trailer section; its length.
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
            (None, Sender::Endpoint) => &bytes[..feed],
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
        let fit = octets::is_token(name) && octets::is_value(value);
        if !fit || self.trailer_fields > MOST_TRAILERS {
            return Err(BadBody::Trailer);
        }
        if fields::may_trail(name) {
            self.trailers.extend_from_slice(line);
            self.trailers.extend_from_slice(b"\r\n");
        }
        Ok(Some(feed + 1))
    }
}
