//! What is on its way out on one side: a head or framing of ours, then data that stands in the other side's buffer, then framing again.
//! All of it leaves in one write where it fits.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::task::{Context, Poll, ready};

use crate::engine::io::Io;
use crate::engine::io::buffer::Buffer;

/// Data of up to this size is copied behind the head: one piece is cheaper to send than several.
const COPIED: usize = 4 * 1024;

/// Memory for heads that is kept for the next message.
const USUAL: usize = 16 * 1024;

/// One side's way out.
#[derive(Debug, Default)]
pub struct WriteBuffer {
    /// What is sent first. While `keeps`, all that was sent, to be sent again.
    head: Vec<u8>,
    sent: usize,
    data: Range<usize>,
    tail: &'static [u8],
    /// To be taken from the buffer once the data is sent.
    consumed: usize,
    /// The most that is kept to be sent again; 0: nothing.
    keeps: usize,
    progress: bool,
    /// Bytes that were sent in all: a deadline looks whether it moves.
    moved: u64,
}

impl WriteBuffer {
    /// Begins a new message. Keeps up to `keeps` bytes of it to be sent again.
    pub fn begin(&mut self, keeps: usize) {
        self.head.clear();
        self.sent = 0;
        self.data = 0..0;
        self.tail = b"";
        self.consumed = 0;
        self.keeps = keeps;
        self.progress = false;
    }

    /// Lets go of memory that only an unusual message needed.
    pub fn shrink(&mut self) {
        if self.head.capacity() > USUAL {
            self.head = Vec::new();
            self.begin(0);
        }
    }

    /// Where heads and framing are written to.
    pub fn head(&mut self) -> &mut Vec<u8> {
        if self.keeps == 0 && self.sent == self.head.len() {
            self.head.clear();
            self.sent = 0;
        }
        &mut self.head
    }

    /// Replaces the first `length` bytes of a message of which nothing was sent; gives their new number.
    pub fn replace_head(&mut self, length: usize, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        let mut head = Vec::new();
        write(&mut head);
        let new = head.len();
        self.head.splice(..length, head);
        new
    }

    /// Sends what was kept from the beginning once more; where nothing was sent yet, there is nothing to go back to.
    pub const fn rewind(&mut self) {
        if self.is_kept() {
            self.sent = 0;
        }
        self.progress = false;
    }

    /// Whether all that was sent could be sent again.
    pub const fn is_kept(&self) -> bool {
        self.keeps > 0
    }

    /// Nothing needs to be sent again.
    pub const fn forget(&mut self) {
        self.keeps = 0;
    }

    /// Whether a byte of the message was sent.
    pub const fn has_sent(&self) -> bool {
        self.progress
    }

    /// Bytes that were sent in all.
    pub const fn moved(&self) -> u64 {
        self.moved
    }

    /// Whether all was sent.
    pub const fn is_empty(&self) -> bool {
        self.sent == self.head.len() && self.data.start == self.data.end && self.tail.is_empty()
    }

    /// Puts data that stands at `data` of a buffer behind what is there, and `tail` behind that. `consumed` bytes of the buffer are done
    /// with once it is sent.
    pub fn push(
        &mut self,
        buffer: &mut Buffer,
        data: Range<usize>,
        consumed: usize,
        tail: &'static [u8],
    ) {
        let fits = data.len() <= COPIED || self.head.len() + data.len() + tail.len() <= self.keeps;
        if fits {
            self.head().extend_from_slice(&buffer.filled()[data]);
            self.head.extend_from_slice(tail);
            buffer.consume(consumed);
            self.check_kept();
            return;
        }
        self.keeps = 0;
        self.data = data;
        self.tail = tail;
        self.consumed = consumed;
    }

    /// What is kept is bounded.
    fn check_kept(&mut self) {
        if self.keeps > 0 && self.head.len() > self.keeps {
            self.keeps = 0;
        }
    }

    /// Writes until all is sent. Ready with the number of bytes that this took, 0 where nothing was left.
    pub fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut impl Io,
        buffer: &mut Buffer,
    ) -> Poll<io::Result<usize>> {
        let mut total = 0;
        while !self.is_empty() {
            let count = ready!(self.poll_write(cx, io, buffer))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.progress = true;
            self.moved += count as u64;
            total += count;
            self.advance(count);
        }
        if self.consumed > 0 {
            buffer.consume(self.consumed);
            self.consumed = 0;
            self.data = 0..0;
        }
        if total > 0 {
            ready!(io.poll_flush(cx))?;
        }
        Poll::Ready(Ok(total))
    }

    fn poll_write(
        &self,
        cx: &mut Context<'_>,
        io: &mut impl Io,
        buffer: &Buffer,
    ) -> Poll<io::Result<usize>> {
        let head = &self.head[self.sent..];
        let data = &buffer.filled()[self.data.clone()];
        let parts = [
            IoSlice::new(head),
            IoSlice::new(data),
            IoSlice::new(self.tail),
        ];
        let from = usize::from(head.is_empty());
        let parts = match (data.is_empty(), self.tail.is_empty()) {
            (true, true) => &parts[..1],
            (_, true) => &parts[from..2],
            (true, false) => &parts[2..],
            (false, false) => &parts[from..],
        };
        io.poll_write(cx, parts)
    }

    fn advance(&mut self, count: usize) {
        let head = count.min(self.head.len() - self.sent);
        self.sent += head;
        let data = (count - head).min(self.data.len());
        self.data.start += data;
        self.tail = self.tail.get(count - head - data..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::io::buffer::Buffers;
    use crate::engine::io::buffer::tests::read;

    #[test]
    fn a_head_is_written_anew_in_front_of_what_follows_it() {
        let (buffers, mut buffer) = (Buffers::default(), Buffer::default());
        read(&buffers, &mut buffer, b"body");
        let mut out = WriteBuffer::default();
        out.begin(64);
        out.head().extend_from_slice(b"first ");
        out.push(&mut buffer, 0..4, 4, b"");
        let length = out.replace_head(6, |head| head.extend_from_slice(b"another "));
        assert_eq!((length, out.head().as_slice()), (8, &b"another body"[..]));
    }
}
