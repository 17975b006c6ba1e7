//! From the endpoint to the client.

use std::task::{Context, Poll};
use std::time::Instant;

use super::{Duplex, End, Phase};
use crate::core::additions::FieldList;
use crate::core::http1::body::{Body, Sender};
use crate::core::http1::forward::{self, ResponseEdits};
use crate::core::http1::response::BadResponse;
use crate::core::http1::{Framing, Version};
use crate::engine::io::Io;
use crate::engine::relay::Goes;

/// Informational responses that an endpoint may send before the final one.
const MAX_INFORMATIONAL: u8 = 16;

impl<C: Io> Duplex<'_, C> {
    /// Passes the response on as far as it goes. Ready: the exchange is over.
    pub(super) fn poll_down(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<End> {
        self.clocks.reading = false;
        loop {
            let state = &mut *self.state;
            match state
                .down
                .out
                .poll_send(cx, self.client, &mut state.from_endpoint)
            {
                Poll::Ready(Ok(0)) => {}
                Poll::Ready(Ok(count)) => {
                    if self.clocks.client_write.since().is_some() {
                        // The endpoint was not read while the client took nothing.
                        self.clocks.endpoint = Some(now);
                        self.clocks.client_write.off(now);
                    }
                    if !self.spend(cx, count) {
                        return Poll::Pending;
                    }
                }
                Poll::Ready(Err(_)) => return Poll::Ready(End::ClientGone(None)),
                Poll::Pending => {
                    let moved = self.state.down.out.moved();
                    self.clocks.client_write.on(moved, now);
                    return Poll::Pending;
                }
            }
            match self.take_what_is_there() {
                Err(end) => return Poll::Ready(end),
                Ok(true) => continue,
                Ok(false) => {}
            }
            let buffer = &mut self.state.from_endpoint;
            if buffer.is_full() {
                // A head that is larger; its own limit ends this.
                buffer.grow();
            }
            match self.terms.buffers.poll_read(cx, self.endpoint, buffer) {
                Poll::Ready(Ok(count)) if count > 0 => {
                    self.state.progress.touched = true;
                    self.clocks.endpoint = Some(now);
                }
                Poll::Ready(ended) => {
                    if let Err(bad) = self.end_of_endpoint(ended.is_ok()) {
                        return Poll::Ready(End::Bad(bad));
                    }
                }
                Poll::Pending => {
                    self.clocks.reading = true;
                    return Poll::Pending;
                }
            }
        }
    }

    /// `true`: something is on its way out. `false`: more must be read.
    fn take_what_is_there(&mut self) -> Result<bool, End> {
        let state = &mut *self.state;
        match state.progress.phase {
            Phase::Switched => Err(End::Switched),
            Phase::Body if state.down.is_ended() => Err(End::Done),
            Phase::Body => self.stage(),
            Phase::Head => {
                let head = state.head.read(state.from_endpoint.filled());
                let Some(length) = head.map_err(End::Bad)? else {
                    return Ok(false);
                };
                if self.is_idle_timeout() {
                    return Err(End::IdleTimeout);
                }
                self.take_head(length).map_err(End::Bad)?;
                if self.state.progress.phase == Phase::Body {
                    // What has come of the body leaves with the head, in one write.
                    self.stage()?;
                }
                Ok(true)
            }
        }
    }

    fn stage(&mut self) -> Result<bool, End> {
        let state = &mut *self.state;
        let staged = state.down.stage(&mut state.from_endpoint);
        staged.map_err(|_| End::Bad(BadResponse::Chunk))
    }

    /// The connection ended, in good order or not.
    fn end_of_endpoint(&mut self, orderly: bool) -> Result<(), BadResponse> {
        self.state.progress.keep_endpoint = false;
        match self.state.progress.phase {
            Phase::Head => Err(BadResponse::Early),
            Phase::Body if orderly && self.state.down.close() => Ok(()),
            Phase::Body | Phase::Switched => Err(BadResponse::Truncated),
        }
    }

    /// The endpoint closes a connection that was idle for too long for it, and says so with a 408 that crosses the request on the way: what
    /// it says is about the connection, not about this request (RFC 9110 section 15.5.9). A 408 to a body that is still coming is an answer.
    fn is_idle_timeout(&self) -> bool {
        let state = &*self.state;
        state.head.status() == 408
            && !state.head.keeps_alive()
            && state.progress.informational == 0
            && state.up.is_ended()
            && state.up.out.is_empty()
            && state
                .failed(self.terms.ask, self.terms.attempt, false)
                .is_retried()
    }

    fn take_head(&mut self, length: usize) -> Result<(), BadResponse> {
        let framing = self.state.head.framing(self.terms.ask.asked)?;
        if self.state.head.is_informational() {
            return self.take_informational(length);
        }
        // From here on there is an answer, and nothing is sent again.
        self.state.up.out.forget();
        self.state.progress.before = self.state.down.out.moved();
        if self.state.head.status() == 101 {
            let state = &mut *self.state;
            let bytes = state.from_endpoint.filled();
            let edits = &self.terms.way.route.rules.response_edits;
            let changes = (&**edits, &FieldList::default());
            forward::switch(&state.head, bytes, changes, state.down.out.head());
            state.progress.status = 101;
            state.progress.phase = Phase::Switched;
        } else {
            self.take_final(framing);
        }
        self.state.from_endpoint.consume(length);
        Ok(())
    }

    /// Clients of HTTP/1.1 get them; those of 1.0 do not know them.
    fn take_informational(&mut self, length: usize) -> Result<(), BadResponse> {
        let state = &mut *self.state;
        state.progress.informational += 1;
        if state.progress.informational > MAX_INFORMATIONAL {
            return Err(BadResponse::Informational);
        }
        state.progress.continued |= state.head.status() == 100;
        if self.terms.ask.version == Version::Http11 {
            let bytes = state.from_endpoint.filled();
            forward::informational(&state.head, bytes, state.down.out.head());
        }
        state.from_endpoint.consume(length);
        state.head.clear();
        Ok(())
    }

    fn take_final(&mut self, framing: Framing) {
        let new = self.terms.ask.version == Version::Http11;
        let unknown = matches!(framing, Framing::Chunked | Framing::UntilClose);
        let chunked = unknown && new;
        let state = &mut *self.state;
        let until_close = unknown && !new;
        // While the request is still on its way nobody knows where the next one begins.
        let whole = state.up.is_ended() && !state.progress.stopped;
        // An endpoint that answers before it was sent everything may not take the rest as a body either.
        let taken = whole && state.up.out.is_empty();
        let may_keep = self.terms.may_keep && !self.terms.traffic.is_draining();
        let keep_client = may_keep && !until_close && whole;
        let edits = ResponseEdits {
            route: &self.terms.way.route.rules.response_edits,
            additions: &FieldList::default(),
            date: &self.terms.date,
            chunked,
            version: self.terms.ask.version,
            keep_alive: keep_client,
        };
        let bytes = state.from_endpoint.filled();
        forward::response(&state.head, bytes, &edits, state.down.out.head());
        let goes = Goes {
            chunked,
            trailers: self.terms.ask.wishes.trailers,
        };
        state.down.begin(Body::new(framing, Sender::Endpoint), goes);
        state.progress.status = state.head.status();
        state.progress.keep_client = keep_client;
        state.progress.until_close = until_close;
        state.progress.keep_endpoint =
            taken && state.head.keeps_alive() && framing != Framing::UntilClose;
        state.progress.phase = Phase::Body;
    }
}
