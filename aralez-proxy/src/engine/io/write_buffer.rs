//! Pending output of one side: a head or framing of ours, then data in the other side's read buffer, then framing again. It is sent in one
//! write if the socket accepts it.

use std::io::{self, IoSlice};
use std::ops::Range;
use std::task::{Context, Poll, ready};

use crate::engine::io::Io;
use crate::engine::io::buffer::Buffer;

/// Data up to this size is copied behind the head: one part is cheaper to send than several.
const COPIED: usize = 4 * 1024;

/// Capacity for heads that is retained for the next message.
const USUAL: usize = 16 * 1024;

/// Pending output of one side.
#[derive(Debug, Default)]
pub struct WriteBuffer {
    /// Bytes to send first. With `keeps`, everything sent so far, for a replay.
    head: Vec<u8>,
    sent: usize,
    data: Range<usize>,
    tail: &'static [u8],
    /// Bytes to consume from the source buffer once the data is sent.
    consumed: usize,
    /// Maximum number of bytes retained for a replay; 0 disables retention.
    keeps: usize,
    progress: bool,
    /// Total bytes sent. Timeouts use it to detect progress.
    moved: u64,
}

impl WriteBuffer {
    /// Starts a new message, of which up to `keeps` bytes are retained for a replay.
    pub fn begin(&mut self, keeps: usize) {
        self.head.clear();
        self.sent = 0;
        self.data = 0..0;
        self.tail = b"";
        self.consumed = 0;
        self.keeps = keeps;
        self.progress = false;
    }

    /// Frees memory that only an unusually large message needed.
    pub fn shrink(&mut self) {
        if self.head.capacity() > USUAL {
            self.head = Vec::new();
            self.begin(0);
        }
    }

    /// Returns the vector to which heads and framing are appended.
    pub fn head(&mut self) -> &mut Vec<u8> {
        if self.keeps == 0 && self.sent == self.head.len() {
            self.head.clear();
            self.sent = 0;
        }
        &mut self.head
    }

    /// Replaces the first `length` bytes of a message of which nothing was sent. Returns their new length.
    pub fn replace_head(&mut self, length: usize, write: impl FnOnce(&mut Vec<u8>)) -> usize {
        let mut head = Vec::new();
        write(&mut head);
        let new = head.len();
        self.head.splice(..length, head);
        new
    }

    /// Restarts the message from its retained beginning. If nothing was sent yet, there is nothing to restart.
    pub const fn rewind(&mut self) {
        if self.is_kept() {
            self.sent = 0;
        }
        self.progress = false;
    }

    /// Reports whether everything sent is retained for a replay.
    pub const fn is_kept(&self) -> bool {
        self.keeps > 0
    }

    /// Stops retaining bytes for a replay.
    pub const fn forget(&mut self) {
        self.keeps = 0;
    }

    /// Reports whether a byte of the message was sent.
    pub const fn has_sent(&self) -> bool {
        self.progress
    }

    /// Returns the total number of bytes sent.
    pub const fn moved(&self) -> u64 {
        self.moved
    }

    /// Reports whether everything was sent.
    pub const fn is_empty(&self) -> bool {
        self.sent == self.head.len() && self.data.start == self.data.end && self.tail.is_empty()
    }

    /// Appends the bytes at `data` in `buffer`, followed by `tail`. `consumed` bytes of the buffer are consumed once they are sent.
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

    /// Stops retaining a message that exceeds the limit.
    fn check_kept(&mut self) {
        if self.keeps > 0 && self.head.len() > self.keeps {
            self.keeps = 0;
        }
    }

    /// Writes until everything is sent. Ready with the number of bytes written by this call, 0 if nothing was pending.
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

    /// Writes the head that is pending, with nothing else, as the beginning of something that is followed by a part of a file.
    pub fn poll_send_before_file(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut impl Io,
    ) -> Poll<io::Result<()>> {
        while self.sent < self.head.len() {
            let count = ready!(io.poll_write_before_file(cx, &self.head[self.sent..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += count;
            self.note_sent(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Notes bytes that were sent past this buffer.
    pub const fn note_sent(&mut self, count: usize) {
        self.progress |= count > 0;
        self.moved += count as u64;
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
