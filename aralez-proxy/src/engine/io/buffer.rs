//! Buffers: held while there is something in them, and no longer.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use crate::engine::io::Io;

/// The size of a buffer, in bytes.
pub const SIZE: usize = 16 * 1024;

/// The size for a body of which more is there than fits. Larger ones yet are made where a head needs them, and not kept.
pub const LARGE: usize = 64 * 1024;

/// Most buffers that a worker keeps for later, of either size.
const KEPT: usize = 128;
const KEPT_LARGE: usize = 16;

/// Bytes that were read and not dealt with yet.
#[derive(Debug, Default)]
pub struct Buffer {
    /// Always as long as its capacity, so that reading needs no clearing. Empty while nothing is held.
    bytes: Vec<u8>,
    /// Bytes before `start` that are dealt with and still looked at; empty where there are none.
    aside: Range<usize>,
    start: usize,
    end: usize,
    /// A read filled it: more comes than it is made for.
    floods: bool,
}

impl Buffer {
    /// What is there.
    pub fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    /// What is there, to be moved together.
    pub fn filled_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.end]
    }

    /// Whether nothing is there.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether nothing more fits.
    pub const fn is_full(&self) -> bool {
        self.is_held() && self.end - self.start + self.aside_length() == self.bytes.len()
    }

    /// Deals with so many bytes, and keeps them where they can be looked at until [`Buffer::release`].
    pub fn set_aside(&mut self, count: usize) {
        let end = (self.start + count).min(self.end);
        self.aside = self.start..end;
        self.start = end;
    }

    /// What was set aside.
    pub fn aside(&self) -> &[u8] {
        &self.bytes[self.aside.clone()]
    }

    /// Lets go of what was set aside.
    pub const fn release(&mut self) {
        self.aside = 0..0;
        self.rewind();
    }

    const fn aside_length(&self) -> usize {
        self.aside.end - self.aside.start
    }

    /// Where nothing is needed, what comes next stands at the beginning.
    const fn rewind(&mut self) {
        if self.is_unused() {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Nothing is there, and nothing was set aside.
    const fn is_unused(&self) -> bool {
        self.is_empty() && self.aside_length() == 0
    }

    /// Room behind what is there. Moves it to the front where that is needed.
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

    /// So many bytes are dealt with.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        self.rewind();
    }

    /// Makes room for a head that is larger than the buffer.
    pub fn grow(&mut self) {
        let size = (2 * self.bytes.len()).max(SIZE);
        self.bytes.resize(size, 0);
    }

    /// Whether there is memory behind it.
    pub const fn is_held(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// What the next read of an empty buffer is worth.
    const fn fits(&self) -> usize {
        if self.floods { LARGE } else { SIZE }
    }
}

/// Buffers that wait for use. One for each worker: nobody else takes its lock.
#[derive(Debug, Default)]
pub struct Buffers {
    usual: Mutex<Vec<Vec<u8>>>,
    large: Mutex<Vec<Vec<u8>>>,
}

impl Buffers {
    /// Reads what is there into a buffer. An empty buffer is held only where there is something to read: the next one who reads gets
    /// it while it is still in the processor's cache, and a connection that waits holds none.
    pub fn poll_read(
        &self,
        cx: &mut Context<'_>,
        io: &mut impl Io,
        buffer: &mut Buffer,
    ) -> Poll<io::Result<usize>> {
        self.poll_fill(buffer, |space| io.poll_read(cx, space))
    }

    /// As [`Buffers::poll_read`], from wherever `read` reads.
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

    /// Takes a buffer back, and gives what is in it away.
    pub fn give(&self, buffer: &mut Buffer) {
        self.take_back(buffer);
        *buffer = Buffer::default();
    }

    fn lend(&self, buffer: &mut Buffer) {
        self.take_back(buffer);
        let size = buffer.fits();
        let kept = self.shelf(size).and_then(|(shelf, _)| lock(shelf).pop());
        buffer.bytes = kept.unwrap_or_else(|| vec![0; size]);
    }

    fn take_back(&self, buffer: &mut Buffer) {
        let bytes = std::mem::take(&mut buffer.bytes);
        buffer.aside = 0..0;
        buffer.start = 0;
        buffer.end = 0;
        if let Some((shelf, most)) = self.shelf(bytes.len()) {
            let mut shelf = lock(shelf);
            if shelf.len() < most {
                shelf.push(bytes);
            }
        }
    }

    /// Where buffers of a size are kept, and how many.
    const fn shelf(&self, size: usize) -> Option<(&Mutex<Vec<Vec<u8>>>, usize)> {
        match size {
            SIZE => Some((&self.usual, KEPT)),
            LARGE => Some((&self.large, KEPT_LARGE)),
            _ => None,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A shelf is whole after every step, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(in crate::engine) mod tests;
