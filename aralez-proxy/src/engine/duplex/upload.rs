//! From the client to the endpoint.

use std::task::{Context, Poll};
use std::time::Instant;

use super::{Duplex, End};
use crate::core::http1::Refusal;
use crate::engine::io::Io;

impl<C: Io> Duplex<'_, C> {
    /// Sends the request on as far as it goes. Ready: the exchange is over.
    pub(super) fn poll_up(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<End> {
        if self.state.progress.stopped {
            return Poll::Pending;
        }
        loop {
            let state = &mut *self.state;
            match state
                .up
                .out
                .poll_send(cx, self.endpoint, &mut state.from_client)
            {
                Poll::Ready(Ok(0)) => {}
                Poll::Ready(Ok(count)) => {
                    self.clocks.endpoint = Some(now);
                    self.clocks.endpoint_write.off(now);
                    if !self.spend(cx, count) {
                        return Poll::Pending;
                    }
                }
                Poll::Ready(Err(_)) => {
                    // It takes no more, but may have answered; reading will tell.
                    self.state.progress.stopped = true;
                    self.clocks.endpoint_write.off(now);
                    return Poll::Pending;
                }
                Poll::Pending => {
                    let moved = self.state.up.out.moved();
                    self.clocks.endpoint_write.on(moved, now);
                    return Poll::Pending;
                }
            }
            let state = &mut *self.state;
            if state.up.is_ended() {
                let watch = self.watch();
                let gone = watch.poll_gone(cx, now, self.client, &mut self.state.from_client);
                return gone.map(|()| End::ClientGone(None));
            }
            match state.up.stage(&mut state.from_client) {
                Err(bad) => return Poll::Ready(End::Refused(bad.into(), None)),
                Ok(true) => continue,
                Ok(false) => {}
            }
            if state.from_client.is_full() {
                // Framing that is not whole never fills a buffer.
                return Poll::Ready(End::Refused(Refusal::ChunkSize, None));
            }
            match self
                .terms
                .buffers
                .poll_read(cx, self.client, &mut state.from_client)
            {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(End::ClientGone(None)),
                Poll::Ready(Ok(count)) => {
                    self.clocks.received += count as u64;
                    self.clocks.body.off(now);
                }
                Poll::Pending => {
                    self.clocks.body.on(self.clocks.received, now);
                    return Poll::Pending;
                }
            }
        }
    }
}
