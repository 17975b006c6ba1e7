//! Forwarding of a body as the engine does it: read in pieces, staged by the relay, written in pieces.

use std::io::{self, IoSlice};
use std::task::{Context, Poll, Waker};

use aralez_proxy::core::request::http1::Framing;
use aralez_proxy::core::request::http1::body::{Body, Sender};
use aralez_proxy::engine::io::Io;
use aralez_proxy::engine::io::body_relay::{BodyFraming, BodyRelay};
use aralez_proxy::engine::io::buffer::{Buffer, Buffers};

use super::message::{self, Message};
use super::ours::{Ours, Passed};

/// Sizes of reads and writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    /// Maximum number of bytes per read.
    pub(crate) read: usize,
    /// Maximum number of bytes per write.
    pub(crate) write: usize,
    /// Maximum number of bytes retained for a replay.
    pub(crate) keeps: usize,
}

impl Steps {
    /// Everything in one read and one write.
    pub(crate) const WHOLE: Self = Self {
        read: usize::MAX,
        write: usize::MAX,
        keeps: 0,
    };
}

/// A body to forward.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Passing {
    /// The received framing.
    pub(crate) framing: Framing,
    /// The side that sent it.
    pub(crate) sender: Sender,
    /// The framing to forward it in.
    pub(crate) goes: BodyFraming,
    /// Offset of its first byte.
    pub(crate) from: usize,
    /// The sender closes its connection after the bytes.
    pub(crate) closed: bool,
}

impl Passing {
    /// Forwards the body after `head`, which is the head as forwarded.
    pub(crate) fn pass(
        self,
        bytes: &[u8],
        steps: Steps,
        head: &[u8],
        mut came: Message,
        mut goes: Message,
    ) -> Ours {
        let core = self.core(bytes);
        let (out, relayed) = self.relay(bytes, steps, head);
        let Some((body, trailers, end)) = core else {
            assert_eq!(
                relayed, None,
                "the relay ends a body that is incomplete for the core"
            );
            return Ours::Cut(out);
        };
        assert_eq!(
            relayed,
            Some(end),
            "the relay and the core disagree about the end of a body"
        );
        came.body.clone_from(&body);
        came.end = end;
        goes.body = body;
        goes.end = out.len();
        if self.goes.chunked {
            goes.trailers = message::trailers(&trailers);
            came.trailers.clone_from(&goes.trailers);
        }
        Ours::Whole(Box::new(Passed {
            came,
            goes,
            bytes: out,
            goes_until_close: false,
            doubted: false,
        }))
    }

    /// Returns the data, the trailers that may be forwarded, and the offset of the next message; `None` if the body is refused or
    /// incomplete.
    fn core(self, bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>, usize)> {
        let mut body = Body::new(self.framing, self.sender);
        let mut rest = bytes[self.from..].to_vec();
        let taken = body.take(&mut rest).ok()?;
        let ends = body.is_done() || (self.closed && body.ends_with_connection());
        let data = rest[taken.data].to_vec();
        ends.then(|| (data, body.trailers().to_vec(), self.from + taken.consumed))
    }

    /// Returns the forwarded bytes, and the offset of the next received message; `None` if the body is refused or incomplete.
    fn relay(self, bytes: &[u8], steps: Steps, head: &[u8]) -> (Vec<u8>, Option<usize>) {
        let (buffers, mut buffer) = (Buffers::default(), Buffer::default());
        let mut relay = BodyRelay::default();
        relay.out.begin(steps.keeps);
        relay.out.head().extend_from_slice(head);
        relay.begin(Body::new(self.framing, self.sender), self.goes);
        let mut sink = Sink {
            source: bytes.to_vec(),
            at: self.from,
            at_once_read: steps.read,
            bytes: Vec::new(),
            at_once: steps.write,
        };
        let mut context = Context::from_waker(Waker::noop());
        loop {
            let sent = relay.out.poll_send(&mut context, &mut sink, &mut buffer);
            assert!(matches!(sent, Poll::Ready(Ok(_))), "write failed: {sent:?}");
            if relay.is_ended() {
                return (sink.bytes, Some(sink.at - buffer.filled().len()));
            }
            match relay.stage(&mut buffer) {
                Ok(true) => continue,
                Ok(false) => {}
                Err(_) => return (sink.bytes, None),
            }
            if sink.at == bytes.len() {
                if !self.closed || !relay.close() {
                    return (sink.bytes, None);
                }
                continue;
            }
            let read = buffers.poll_read(&mut context, &mut sink, &mut buffer);
            assert!(
                matches!(read, Poll::Ready(Ok(1..))),
                "incomplete framing fills the buffer: {read:?}"
            );
        }
    }
}

/// A connection with a maximum number of bytes per read and per write.
struct Sink {
    source: Vec<u8>,
    at: usize,
    at_once_read: usize,
    bytes: Vec<u8>,
    at_once: usize,
}

impl Io for Sink {
    fn poll_read(&mut self, _: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let rest = &self.source[self.at..];
        let count = rest.len().min(into.len()).min(self.at_once_read);
        into[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Poll::Ready(Ok(count))
    }

    fn poll_readable(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }

    fn poll_write(
        &mut self,
        _: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let before = self.bytes.len();
        for part in parts {
            let room = self.at_once - (self.bytes.len() - before);
            self.bytes.extend_from_slice(&part[..part.len().min(room)]);
        }
        Poll::Ready(Ok(self.bytes.len() - before))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn abort(&mut self) {}

    fn is_tls(&self) -> bool {
        false
    }
}
