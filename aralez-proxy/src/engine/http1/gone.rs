//! Detection of clients that disconnect while their request waits for an endpoint.

use std::task::{Context, Poll};
use std::time::Instant;

use crate::engine::accept::unregistered::{self, UnregisteredSockets};
use crate::engine::exchange::facts::Facts;
use crate::engine::io::Io;
use crate::engine::io::buffer::{Buffer, Buffers};

/// Watches one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientWatch<'a> {
    /// The facts about its request.
    pub(super) facts: &'a Facts,
    /// The buffer pool of the thread.
    pub(super) buffers: &'a Buffers,
    /// The client sockets that are not registered with the reactor yet.
    pub(super) unwatched: &'a UnregisteredSockets,
}

impl ClientWatch<'_> {
    /// Ready when the client is gone. Bytes that it sends are kept in `buffer`, up to its capacity.
    pub(super) fn poll_gone(
        &self,
        cx: &mut Context<'_>,
        now: Instant,
        client: &mut impl Io,
        buffer: &mut Buffer,
    ) -> Poll<()> {
        if self.begins_at(client).is_some_and(|from| now < from) {
            self.unwatched.look_again(cx);
            return Poll::Pending;
        }
        while !buffer.is_full() {
            match self.buffers.poll_read(cx, client, buffer) {
                // RFC 9112 section 9.5: a connection is watched for its close, and its resources are released when that happens.
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }

    /// Returns when watching begins; `None` for immediately. Registering a new socket costs syscalls, and most responses arrive before it
    /// pays off. After a request body it begins immediately: some clients send an empty line behind the body, which must be read to see the
    /// end of the stream.
    fn begins_at(&self, client: &impl Io) -> Option<Instant> {
        let unregistered = !client.is_watched() && !self.facts.has_body();
        unregistered.then(|| self.facts.started + unregistered::FOR)
    }
}
