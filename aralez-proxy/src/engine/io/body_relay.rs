//! Relay of one body: parsed by the framing it arrived in, written in the framing of the other side.

use std::io::Write as _;

use crate::core::request::http1::body::{BadBody, Body};
use crate::engine::io::buffer::Buffer;
use crate::engine::io::write_buffer::WriteBuffer;

/// One direction of an exchange.
#[derive(Debug, Default)]
pub struct BodyRelay {
    /// Pending output.
    pub out: WriteBuffer,
    body: Body,
    chunked: bool,
    trailers: bool,
    ended: bool,
    data: u64,
}

/// The framing in which a body is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BodyFraming {
    /// Chunked, otherwise the plain bytes.
    pub chunked: bool,
    /// Trailers are forwarded.
    pub trailers: bool,
}

impl BodyRelay {
    /// Starts a new body.
    pub fn begin(&mut self, body: Body, goes: BodyFraming) {
        self.body = body;
        self.chunked = goes.chunked;
        self.trailers = goes.trailers;
        self.ended = false;
        self.data = 0;
    }

    /// Reports whether the whole body is staged.
    pub const fn is_ended(&self) -> bool {
        self.ended
    }

    /// Returns the number of body bytes received, without framing.
    pub const fn data(&self) -> u64 {
        self.data
    }

    /// Stages the bytes in `buffer`. Returns `false` if more must be read first, or if the whole body is staged.
    ///
    /// # Errors
    /// [`BadBody`] if the framing is malformed.
    pub fn stage(&mut self, buffer: &mut Buffer) -> Result<bool, BadBody> {
        if self.ended {
            return Ok(false);
        }
        let taken = self.body.take(buffer.filled_mut())?;
        let done = self.body.is_done();
        let count = taken.data.len();
        self.data += count as u64;
        if count == 0 {
            buffer.consume(taken.consumed);
            if done {
                self.end();
            }
            return Ok(done);
        }
        let trailed = self.trailers && !self.body.trailers().is_empty();
        let last = done && !trailed;
        // RFC 9112 section 7.1: the data of a chunk is followed by CRLF.
        // RFC 9112 section 7.1: a chunk of size zero is the last one, and the trailer section follows it.
        let tail: &'static [u8] = match (self.chunked, last) {
            (false, _) => b"",
            (true, false) => b"\r\n",
            (true, true) => b"\r\n0\r\n\r\n",
        };
        if self.chunked {
            // Writing to a vector does not fail.
            let _ = write!(self.out.head(), "{count:x}\r\n");
        }
        // RFC 9112 section 7.1.2: trailer fields are discarded where a body is not forwarded in chunks.
        self.ended = last || (done && !self.chunked);
        self.out.push(buffer, taken.data, taken.consumed, tail);
        Ok(true)
    }

    /// Notes that the next `count` bytes of a body with a length were sent without being staged.
    pub fn pass(&mut self, count: usize) {
        self.body.skip(count as u64);
        self.data += count as u64;
        self.ended = self.body.is_done();
        self.out.note_sent(count);
    }

    /// Handles the close of the source. Returns `false` if the body was incomplete.
    pub fn close(&mut self) -> bool {
        // RFC 9112 section 8: a body with a length or in chunks is incomplete if the connection closes before its end; only a
        // close-delimited one is completed by it.
        if !self.body.ends_with_connection() {
            return false;
        }
        if !self.ended {
            self.end();
        }
        true
    }

    fn end(&mut self) {
        self.ended = true;
        if self.chunked {
            let trailers: &[u8] = if self.trailers {
                self.body.trailers()
            } else {
                b""
            };
            let head = self.out.head();
            head.extend_from_slice(b"0\r\n");
            head.extend_from_slice(trailers);
            head.extend_from_slice(b"\r\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::request::http1::Framing;
    use crate::core::request::http1::body::Sender;
    use crate::engine::io::buffer::tests::read;
    use crate::engine::io::buffer::{Buffer, Buffers};

    fn relayed(framing: Framing, goes: BodyFraming, parts: &[&[u8]]) -> (String, bool) {
        let (buffers, mut buffer) = (Buffers::default(), Buffer::default());
        let mut relay = BodyRelay::default();
        relay.out.begin(1 << 20);
        relay.begin(Body::new(framing, Sender::Client), goes);
        for part in parts {
            assert_eq!(read(&buffers, &mut buffer, part), part.len());
            while relay.stage(&mut buffer).unwrap() {}
        }
        let text = String::from_utf8(relay.out.head().clone()).unwrap();
        (text, relay.is_ended())
    }

    const CHUNKS: BodyFraming = BodyFraming {
        chunked: true,
        trailers: true,
    };

    #[test]
    fn chunks_are_written_anew_with_one_end() {
        let parts: [&[u8]; 3] = [b"03;a=b\r\nabc\r\n2\r\nde", b"\r\n", b"0\r\n\r\n"];
        let (text, ended) = relayed(Framing::Chunked, CHUNKS, &parts);
        assert_eq!(text, "5\r\nabcde\r\n0\r\n\r\n");
        assert!(ended);
    }

    #[test]
    fn trailers_go_on_where_they_may_and_are_left_out_elsewhere() {
        let parts: [&[u8]; 1] = [b"1\r\na\r\n0\r\nDigest: x\r\nHost: evil\r\n\r\n"];
        let (text, _) = relayed(Framing::Chunked, CHUNKS, &parts);
        assert_eq!(text, "1\r\na\r\n0\r\nDigest: x\r\n\r\n");
        let without = BodyFraming {
            trailers: false,
            ..CHUNKS
        };
        let (text, _) = relayed(Framing::Chunked, without, &parts);
        assert_eq!(text, "1\r\na\r\n0\r\n\r\n");
    }

    #[test]
    fn chunks_become_plain_and_plain_becomes_chunks() {
        let plain = BodyFraming {
            chunked: false,
            trailers: false,
        };
        let parts: [&[u8]; 1] = [b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"];
        assert_eq!(
            relayed(Framing::Chunked, plain, &parts),
            ("abc".to_owned(), true)
        );
        let (text, ended) = relayed(Framing::UntilClose, CHUNKS, &[b"abc"]);
        assert_eq!((text.as_str(), ended), ("3\r\nabc\r\n", false));
        assert_eq!(
            relayed(Framing::Length(3), plain, &[b"abcNEXT"]),
            ("abc".to_owned(), true)
        );
    }
}
