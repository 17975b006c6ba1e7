use std::collections::VecDeque;
use std::io::IoSlice;
use std::task::Waker;

use super::*;

/// The pieces that a peer sends; then it is silent.
#[derive(Default)]
pub(in crate::engine) struct Pieces(pub(in crate::engine) VecDeque<Vec<u8>>);

impl Io for Pieces {
    fn poll_read(&mut self, _: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let Some(piece) = self.0.front_mut() else {
            return Poll::Pending;
        };
        let count = piece.len().min(into.len());
        into[..count].copy_from_slice(&piece[..count]);
        piece.drain(..count);
        if piece.is_empty() {
            self.0.pop_front();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_write(&mut self, _: &mut Context<'_>, _: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn abort(&mut self) {}

    fn is_tls(&self) -> bool {
        false
    }
}

/// Reads one piece.
pub(in crate::engine) fn read(buffers: &Buffers, buffer: &mut Buffer, piece: &[u8]) -> usize {
    let mut peer = Pieces([piece.to_vec()].into());
    let mut cx = Context::from_waker(Waker::noop());
    match buffers.poll_read(&mut cx, &mut peer, buffer) {
        Poll::Ready(count) => count.unwrap(),
        Poll::Pending => 0,
    }
}

#[test]
fn what_is_read_stays_in_order_until_it_is_dealt_with() {
    let (buffers, mut buffer) = (Buffers::default(), Buffer::default());
    assert_eq!(read(&buffers, &mut buffer, b"abcd"), 4);
    buffer.consume(1);
    assert_eq!(buffer.filled(), b"bcd");
    assert_eq!(read(&buffers, &mut buffer, &vec![b'x'; SIZE]), SIZE - 4);
    assert!(!buffer.is_full());
    assert_eq!(
        read(&buffers, &mut buffer, b"yz"),
        1,
        "what is there moved to the front"
    );
    assert!(
        buffer.is_full()
            && buffer.filled().starts_with(b"bcdx")
            && buffer.filled().ends_with(b"xy")
    );
    buffer.consume(SIZE);
    assert!(buffer.is_empty());
}

#[test]
fn a_buffer_is_held_only_while_something_is_in_it() {
    let (buffers, mut buffer) = (Buffers::default(), Buffer::default());
    let mut silent = Pieces::default();
    let mut cx = Context::from_waker(Waker::noop());
    assert!(
        buffers
            .poll_read(&mut cx, &mut silent, &mut buffer)
            .is_pending()
    );
    assert!(!buffer.is_held() && !buffer.is_full());
    read(&buffers, &mut buffer, b"a");
    assert!(
        buffers
            .poll_read(&mut cx, &mut silent, &mut buffer)
            .is_pending()
    );
    assert_eq!(
        buffer.filled(),
        b"a",
        "what is there is not lost while more is awaited"
    );
}

#[test]
fn a_flood_gets_a_larger_buffer_and_a_grown_head_is_not_kept() {
    let (buffers, mut buffer) = (Buffers::default(), Buffer::default());
    let flood = vec![0; LARGE];
    assert_eq!(read(&buffers, &mut buffer, &flood), SIZE);
    buffer.consume(SIZE);
    assert_eq!(read(&buffers, &mut buffer, &flood), LARGE);
    buffers.give(&mut buffer);
    assert_eq!(
        read(&buffers, &mut buffer, &flood),
        SIZE,
        "the next one is usual again"
    );
    buffer.grow();
    assert_eq!(read(&buffers, &mut buffer, &flood), SIZE);
    buffers.give(&mut buffer);
    assert!(!buffer.is_held());
}

#[test]
fn what_is_set_aside_stays_in_front_of_what_is_read_until_it_is_released() {
    let (buffers, mut buffer) = (Buffers::default(), Buffer::default());
    read(&buffers, &mut buffer, b"..headbody");
    buffer.consume(2);
    buffer.set_aside(4);
    assert_eq!(
        (buffer.aside(), buffer.filled()),
        (&b"head"[..], &b"body"[..])
    );
    buffer.consume(4);
    assert!(buffer.is_empty() && buffer.aside() == b"head");
    let flood = vec![b'x'; SIZE];
    assert_eq!(read(&buffers, &mut buffer, &flood), SIZE - 10);
    assert_eq!(read(&buffers, &mut buffer, &flood), 6, "moved to the front");
    assert!(buffer.is_full() && buffer.aside() == b"head");
    let mut silent = Pieces::default();
    let mut cx = Context::from_waker(Waker::noop());
    buffer.consume(SIZE);
    assert!(!buffer.is_full() && buffer.is_empty() && buffer.aside() == b"head");
    let silence = buffers.poll_read(&mut cx, &mut silent, &mut buffer);
    assert!(silence.is_pending() && buffer.aside() == b"head");
    buffer.release();
    let silence = buffers.poll_read(&mut cx, &mut silent, &mut buffer);
    assert!(silence.is_pending() && !buffer.is_held());
}
