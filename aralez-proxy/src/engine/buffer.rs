//! Buffers: held while there is something in them, and no longer.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use super::io::Io;

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
        self.is_held() && self.end - self.start == self.bytes.len()
    }

    /// Room behind what is there. Moves it to the front where that is needed.
    fn space(&mut self) -> &mut [u8] {
        if self.start > 0 && self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.bytes[self.end..]
    }

    /// So many bytes are dealt with.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
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
        if buffer.is_empty() && buffer.bytes.len() < buffer.fits() {
            self.lend(buffer);
        }
        let space = buffer.space();
        let room = space.len();
        let read = io.poll_read(cx, space);
        match read {
            Poll::Ready(Ok(count)) if count > 0 => {
                buffer.end += count.min(room);
                buffer.floods |= count == room;
            }
            _ if buffer.is_empty() => self.take_back(buffer),
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
pub(super) mod tests;
