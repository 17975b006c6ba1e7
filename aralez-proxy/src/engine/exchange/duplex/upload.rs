//! The direction from the client to the endpoint.

use std::task::{Context, Poll};
use std::time::Instant;

use crate::core::request::http1::RequestRefusal;
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::exchange::duplex::{BodyRefusal, Duplex, TryEnd};

impl<C: ClientSide> Duplex<'_, C> {
    /// Relays the request until that would block. Ready when the try is over.
    pub(super) fn poll_up(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<TryEnd> {
        if self.side.progress.stopped {
            return Poll::Pending;
        }
        loop {
            let up = &mut self.side.up;
            match up.out.poll_send(cx, self.endpoint, self.client.body()) {
                Poll::Ready(Ok(0)) => {}
                Poll::Ready(Ok(count)) => {
                    // No other endpoint gets the request from here on.
                    self.client.release_head();
                    self.clocks.endpoint = Some(now);
                    self.clocks.endpoint_write.off(now);
                    if !self.spend(cx, count) {
                        return Poll::Pending;
                    }
                }
                Poll::Ready(Err(_)) => {
                    // The endpoint accepts no more data, but may have responded: the download finds out.
                    self.side.progress.stopped = true;
                    self.clocks.endpoint_write.off(now);
                    return Poll::Pending;
                }
                Poll::Pending => {
                    let moved = self.side.up.out.moved();
                    self.clocks.endpoint_write.on(moved, now);
                    return Poll::Pending;
                }
            }
            let up = &mut self.side.up;
            if up.is_ended() {
                let gone = self.client.poll_gone(cx, now);
                return gone.map(|()| TryEnd::ClientGone(None));
            }
            match up.stage(self.client.body()) {
                Err(bad) => return Poll::Ready(TryEnd::Refused(bad.into(), None)),
                Ok(true) if self.is_too_large() => {
                    return Poll::Ready(TryEnd::Refused(BodyRefusal::TooLarge, None));
                }
                Ok(true) => continue,
                Ok(false) => {}
            }
            if self.client.body().is_full() {
                // Valid framing never fills a buffer while it is incomplete.
                let refusal = BodyRefusal::Unreadable(RequestRefusal::ChunkSize);
                return Poll::Ready(TryEnd::Refused(refusal, None));
            }
            match self.client.poll_body(cx) {
                // RFC 9112 section 6.3: a request whose client closes before the end of its body is incomplete, and its connection closes.
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(TryEnd::ClientGone(None)),
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

    /// Returns whether the received part of the body is larger than the route allows. The part beyond is staged, but not sent: the endpoint
    /// never receives the whole body.
    fn is_too_large(&self) -> bool {
        let most = self.terms.upstream.most_body();
        most.is_some_and(|most| self.side.up.data() > most)
    }
}
