//! Read buffers, allocated only while they hold bytes.

use parking_lot::Mutex;
use std::io;
use std::ops::Range;
use std::task::{Context, Poll};

use crate::engine::io::Io;

/// The default size of a buffer, in bytes.
pub const SIZE: usize = 16 * 1024;

/// The size used once a read filled a default one. Larger buffers exist only for large heads, and are not kept.
pub const LARGE: usize = 64 * 1024;

/// Number of free buffers of each size that a worker keeps.
const KEPT: usize = 128;
const KEPT_LARGE: usize = 16;

/// Bytes that were read and not consumed yet.
#[derive(Debug, Default)]
pub struct Buffer {
    /// Always as long as its capacity, so that reads need no zeroing. Empty while no memory is held.
    bytes: Vec<u8>,
    /// Consumed bytes before `start` that are still readable; empty if there are none.
    aside: Range<usize>,
    start: usize,
    end: usize,
    /// A read filled the buffer: the sender is faster than its size allows.
    floods: bool,
}

impl Buffer {
    /// Returns the unconsumed bytes.
    pub fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// Returns the unconsumed bytes, to be compacted in place.
    pub fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    /// Reports whether there are no unconsumed bytes.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Reports whether there is no space left.
    pub const fn is_full(&self) -> bool {
        self.is_held() && self.end - self.start + self.aside_length() == self.bytes.len()
    }

    /// Consumes `count` bytes, but keeps them readable through [`Buffer::aside`] until [`Buffer::release`].
    pub fn set_aside(&mut self, count: usize) {
        let end = (self.start + count).min(self.end);
        self.aside = self.start..end;
        self.start = end;
    }

    /// Returns the bytes that were set aside.
    pub fn aside(&self) -> &[u8] {
        &self.bytes[self.aside.clone()]
    }

    /// Drops the bytes that were set aside.
    pub const fn release(&mut self) {
        self.aside = 0..0;
        self.rewind();
    }

    const fn aside_length(&self) -> usize {
        self.aside.end - self.aside.start
    }

    /// Moves the next read to the front if nothing in the buffer is needed.
    const fn rewind(&mut self) {
        if self.is_unused() {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Reports whether there are neither unconsumed bytes nor bytes set aside.
    const fn is_unused(&self) -> bool {
        self.is_empty() && self.aside_length() == 0
    }

    /// Returns the free space behind the filled bytes. Compacts the buffer if that is necessary.
    fn space(&mut self) -> &mut [u8] {
        let aside = self.aside_length();
        if self.start > aside && self.end == self.bytes.len() {
            self.bytes.copy_within(self.aside.clone(), 0);
            self.bytes.copy_within(self.start..self.end, aside);
            self.end -= self.start - aside;
            self.start = aside;
            self.aside = 0..aside;
        }
        &mut self.bytes[self.end..]
    }

    /// Consumes `count` bytes.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.rewind();
    }

    /// Doubles the capacity, for a head that is larger than the buffer.
    pub fn grow(&mut self) {
        let size = (2 * self.bytes.len()).max(SIZE);
        self.bytes.resize(size, 0);
    }

    /// Reports whether memory is allocated.
    pub const fn is_held(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// Returns the size to allocate for the next read into an empty buffer.
    const fn fits(&self) -> usize {
        if self.floods { LARGE } else { SIZE }
    }
}

/// Free buffers. There is one instance per worker, so its locks are never contended.
#[derive(Debug, Default)]
pub struct Buffers {
    usual: Mutex<Vec<Vec<u8>>>,
    large: Mutex<Vec<Vec<u8>>>,
}

impl Buffers {
    /// Reads into a buffer. Memory for an empty buffer is held only while there is something to read: the next reader reuses it while it is
    /// still in the processor's cache, and an idle connection holds none.
    pub fn poll_read(
        &self,
        cx: &mut Context<'_>,
        io: &mut impl Io,
        buffer: &mut Buffer,
    ) -> Poll<io::Result<usize>> {
        self.poll_fill(buffer, |space| io.poll_read(cx, space))
    }

    /// Like [`Buffers::poll_read`], with `read` as the source.
    pub fn poll_fill(
        &self,
        buffer: &mut Buffer,
        read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if buffer.is_unused() && buffer.bytes.len() < buffer.fits() {
            self.lend(buffer);
        }
        let space = buffer.space();
        let room = space.len();
        let read = read(space);
        match read {
            Poll::Ready(Ok(count)) if count > 0 => {
                buffer.end += count.min(room);
                buffer.floods |= count == room;
            }
            _ if buffer.is_unused() => self.take_back(buffer),
            _ => {}
        }
        read
    }

    /// Takes the memory of a buffer back and discards its content.
    pub fn give(&self, buffer: &mut Buffer) {
        self.take_back(buffer);
        *buffer = Buffer::default();
    }

    fn lend(&self, buffer: &mut Buffer) {
        self.take_back(buffer);
        let size = buffer.fits();
        let kept = self.shelf(size).and_then(|(shelf, _)| shelf.lock().pop());
        buffer.bytes = kept.unwrap_or_else(|| vec![0; size]);
    }

    fn take_back(&self, buffer: &mut Buffer) {
        let bytes = std::mem::take(&mut buffer.bytes);
        buffer.aside = 0..0;
        buffer.start = 0;
        buffer.end = 0;
        if let Some((shelf, most)) = self.shelf(bytes.len()) {
            let mut shelf = shelf.lock();
            if shelf.len() < most {
                shelf.push(bytes);
            }
        }
    }

    /// Returns the free list for buffers of this size and its capacity. `None` if this size is not kept.
    const fn shelf(&self, size: usize) -> Option<(&Mutex<Vec<Vec<u8>>>, usize)> {
        match size {
            SIZE => Some((&self.usual, KEPT)),
            LARGE => Some((&self.large, KEPT_LARGE)),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(in crate::engine) mod tests;
