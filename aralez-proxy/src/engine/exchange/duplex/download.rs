//! The direction from the endpoint to the client.

use std::task::{Context, Poll};
use std::time::Instant;

use crate::core::request::http1::Framing;
use crate::core::request::http1::response::BadResponse;
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::exchange::duplex::{Duplex, TryEnd};
use crate::engine::exchange::endpoint_side::ResponsePhase;

impl<C: ClientSide> Duplex<'_, C> {
    /// Relays the response until that would block. Ready when the try is over.
    pub(super) fn poll_down(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<TryEnd> {
        self.clocks.reading = false;
        loop {
            match self.client.poll_send(cx, &mut self.side.buffer) {
                Poll::Ready(Ok(0)) => {}
                Poll::Ready(Ok(count)) => {
                    if self.clocks.client_write.since().is_some() {
                        // The endpoint was not read while the client accepted nothing, so its deadline restarts.
                        self.clocks.endpoint = Some(now);
                        self.clocks.client_write.off(now);
                    }
                    if !self.spend(cx, count) {
                        return Poll::Pending;
                    }
                }
                Poll::Ready(Err(_)) => return Poll::Ready(TryEnd::ClientGone(None)),
                Poll::Pending => {
                    self.clocks.client_write.on(self.client.sent(), now);
                    return Poll::Pending;
                }
            }
            match self.take_what_is_there() {
                Err(end) => return Poll::Ready(end),
                Ok(true) => continue,
                Ok(false) => {}
            }
            let buffer = &mut self.side.buffer;
            if buffer.is_full() {
                // A large head; its own limit ends the growth.
                buffer.grow();
            }
            match self.terms.buffers.poll_read(cx, self.endpoint, buffer) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    self.side.progress.touched = true;
                    self.clocks.endpoint = Some(now);
                }
                Poll::Ready(ended) => {
                    if let Err(bad) = self.end_of_endpoint(ended.is_ok()) {
                        return Poll::Ready(TryEnd::Bad(bad));
                    }
                }
                Poll::Pending => {
                    self.clocks.reading = true;
                    return Poll::Pending;
                }
            }
        }
    }

    /// Processes buffered data. `true` if output was staged, `false` if more must be read.
    fn take_what_is_there(&mut self) -> Result<bool, TryEnd> {
        match self.side.progress.phase {
            ResponsePhase::Switched => Err(TryEnd::Switched),
            ResponsePhase::Body if self.client.is_whole() => Err(TryEnd::Done),
            ResponsePhase::Body => self.stage(),
            ResponsePhase::Head => {
                let side = &mut *self.side;
                let head = side.head.read(side.buffer.filled());
                let Some(length) = head.map_err(TryEnd::Bad)? else {
                    return Ok(false);
                };
                if self.is_idle_timeout() {
                    return Err(TryEnd::IdleTimeout);
                }
                self.take_head(length).map_err(TryEnd::Bad)?;
                if self.side.progress.phase == ResponsePhase::Body {
                    // The part of the body that has arrived is sent together with the head, in one write.
                    self.stage()?;
                }
                Ok(true)
            }
        }
    }

    fn stage(&mut self) -> Result<bool, TryEnd> {
        let staged = self.client.stage(&mut self.side.buffer);
        staged.map_err(|_| TryEnd::Bad(BadResponse::Chunk))
    }

    /// Handles the end of the endpoint connection, whether orderly or by an error.
    fn end_of_endpoint(&mut self, orderly: bool) -> Result<(), BadResponse> {
        self.side.progress.keep_endpoint = false;
        match self.side.progress.phase {
            // RFC 9112 section 8: a response whose connection closes within its header section is incomplete.
            ResponsePhase::Head => Err(BadResponse::Early),
            // RFC 9112 section 8: a close-delimited body is complete if its connection closes without an error.
            ResponsePhase::Body if orderly && self.client.end_body() => Ok(()),
            // RFC 9112 section 8: a body with a length or in chunks is incomplete if the connection closes before its end; only a
            // close-delimited one is completed by it.
            ResponsePhase::Body | ResponsePhase::Switched => Err(BadResponse::Truncated),
        }
    }

    /// Returns whether the response is a 408 with which the endpoint closes a connection that was idle too long, and which crossed the
    /// request on the wire. Such a 408 concerns the connection, not this request. A 408 to a body that is still being sent is an answer.
    fn is_idle_timeout(&self) -> bool {
        // RFC 9110 section 15.5.9: a client that gets a 408 while its request is in transit may repeat the request on a new connection.
        let side = &*self.side;
        side.head.status() == 408
            && !side.head.keeps_alive()
            && side.progress.informational == 0
            && side.up.is_ended()
            && side.up.out.is_empty()
            && self.failed(false).is_retried()
    }

    fn take_head(&mut self, length: usize) -> Result<(), BadResponse> {
        let framing = self.side.head.framing(self.client.facts().asked)?;
        if self.side.head.is_informational() {
            return self.take_informational(length);
        }
        // There is an answer now, so the request is never sent again.
        self.side.up.out.forget();
        self.side.progress.before = self.client.sent();
        let side = &mut *self.side;
        if side.head.status() == 101 {
            let changes = self.terms.changes();
            self.client
                .switch(&side.head, side.buffer.filled(), &changes);
            side.progress.status = 101;
            // RFC 9110 section 15.2.2: the new protocol begins directly behind the head of the 101.
            side.progress.phase = ResponsePhase::Switched;
        } else {
            self.take_final(framing);
        }
        self.side.buffer.consume(length);
        Ok(())
    }

    fn take_informational(&mut self, length: usize) -> Result<(), BadResponse> {
        let side = &mut *self.side;
        side.progress.count_informational()?;
        side.progress.continued |= side.head.status() == 100;
        // RFC 9110 section 15.2: a proxy forwards 1xx responses.
        self.client.inform(&side.head, side.buffer.filled());
        side.buffer.consume(length);
        side.head.clear();
        Ok(())
    }

    fn take_final(&mut self, framing: Framing) {
        let side = &mut *self.side;
        let whole = side.up.is_ended() && !side.progress.stopped;
        // An endpoint that responds before the whole request was sent may not read the rest as a body either: do not reuse its connection.
        let taken = whole && side.up.out.is_empty();
        let bytes = side.buffer.filled();
        self.client
            .respond(&side.head, bytes, &self.terms.changes(), (framing, whole));
        side.progress.status = side.head.status();
        // RFC 9112 section 9.3: a connection persists only if the body of each message on it delimits itself.
        side.progress.keep_endpoint =
            taken && side.head.keeps_alive() && framing != Framing::UntilClose;
        side.progress.phase = ResponsePhase::Body;
    }
}
