//! Buffers: taken where something runs, given back where a connection is idle.

use std::sync::{Mutex, PoisonError};

/// The size of a buffer that is recycled, in bytes. Larger ones are made where a head needs them, and not kept.
pub const SIZE: usize = 16 * 1024;

/// Most buffers that a worker keeps for later.
const KEPT: usize = 256;

/// Bytes that were read and not dealt with yet.
#[derive(Debug, Default)]
pub struct Buffer {
    /// Always as long as its capacity, so that reading needs no clearing.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
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

    /// How much is there.
    pub const fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether nothing more fits.
    pub const fn is_full(&self) -> bool {
        self.end - self.start == self.bytes.len()
    }

    /// Room behind what is there. Moves it to the front where that is needed.
    pub fn space(&mut self) -> &mut [u8] {
        if self.start > 0 && self.end == self.bytes.len() {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        &mut self.bytes[self.end..]
    }

    /// So many bytes were read into the room.
    pub fn fill(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
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
}

/// Buffers that wait for use. One for each worker: nobody else takes its lock.
#[derive(Debug, Default)]
pub struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// An empty buffer.
    pub fn take(&self) -> Buffer {
        let kept = self.with(Vec::pop);
        Buffer {
            bytes: kept.unwrap_or_else(|| vec![0; SIZE]),
            start: 0,
            end: 0,
        }
    }

    /// Gives one back, and what is in it away.
    pub fn give(&self, buffer: &mut Buffer) {
        let bytes = std::mem::take(buffer).bytes;
        if bytes.len() == SIZE {
            self.with(|kept| {
                if kept.len() < KEPT {
                    kept.push(bytes);
                }
            });
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Vec<u8>>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_stays_in_order_until_it_is_dealt_with() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        buffer.space()[..4].copy_from_slice(b"abcd");
        buffer.fill(4);
        buffer.consume(1);
        assert_eq!(buffer.filled(), b"bcd");
        assert_eq!(buffer.space().len(), SIZE - 4);
        buffer.fill(SIZE - 4);
        assert!(!buffer.is_full());
        assert_eq!(buffer.space().len(), 1, "what is there moved to the front");
        assert_eq!(&buffer.filled()[..3], b"bcd");
        buffer.consume(SIZE);
        assert!(buffer.is_empty());
        buffers.give(&mut buffer);
        assert!(!buffer.is_held());
    }

    #[test]
    fn a_buffer_that_grew_is_not_kept() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        buffer.grow();
        assert_eq!(buffer.space().len(), 2 * SIZE);
        buffers.give(&mut buffer);
        assert_eq!(buffers.take().space().len(), SIZE);
    }
}
