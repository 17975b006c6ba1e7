//! Noticing that a client goes away while its request waits for an endpoint.

use std::task::{Context, Poll};
use std::time::Instant;

use crate::engine::accept::unregistered::{self, UnregisteredSockets};
use crate::engine::exchange::facts::Facts;
use crate::engine::io::Io;
use crate::engine::io::buffer::{Buffer, Buffers};

/// Watches one client.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientWatch<'a> {
    /// Its request.
    pub(super) facts: &'a Facts,
    /// Where buffers come from.
    pub(super) buffers: &'a Buffers,
    /// Where clients stand that are not watched yet.
    pub(super) unwatched: &'a UnregisteredSockets,
}

impl ClientWatch<'_> {
    /// Ready when the client is gone. What it sends is kept in `buffer`, as far as it fits.
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
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => {}
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }

    /// When watching begins. It costs calls of the system where the client is new, and most answers are there before it is worth them.
    /// After a body it begins at once: there are clients that send an empty line behind it, which has to be read before the end.
    fn begins_at(&self, client: &impl Io) -> Option<Instant> {
        let unregistered = !client.is_watched() && !self.facts.has_body();
        unregistered.then(|| self.facts.started + unregistered::FOR)
    }
}
