//! Reading the head of the next request as its bytes arrive.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Instant;

use crate::core::request::http1::RequestRefusal;
use crate::core::request::http1::opening::{self, Opening};
use crate::core::traffic::{ConnectionState, Deadline};
use crate::engine::accept::defer_accept;
use crate::engine::http1::buffers::ClientBuffers;
use crate::engine::http1::connection::{Connection, ReadOutcome};
use crate::engine::io::Io;
use crate::engine::io::stall::WakeTime;

/// Reason why no head was read.
pub(super) enum HeadError {
    Gone,
    Refused(RequestRefusal),
}

impl From<RequestRefusal> for HeadError {
    fn from(refusal: RequestRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Limits of the next read, and the meaning of its timeout.
#[derive(Clone, Copy)]
struct Patience {
    until: Instant,
    /// The connection is idle: no byte of a request has arrived.
    idle: bool,
    /// On timeout the buffers are given back, and the wait continues without them.
    rests: bool,
}

impl<C: Io> Connection<C> {
    /// Reads a head and returns its length. `None` if nothing arrived for a while.
    pub(super) async fn read_head(
        &mut self,
        buffers: &mut ClientBuffers,
    ) -> Result<Option<usize>, HeadError> {
        let limits = self.worker.engine.limits;
        let mut begun = (self.served == 0).then_some(self.since);
        let warm = self.now + self.worker.warm().min(limits.idle);
        loop {
            let buffer = &mut buffers.incoming;
            let opening = opening::look(buffer.filled())?;
            if let Some(length) = buffers.head.read(buffer.filled(), &limits.head)? {
                self.is_busy();
                return Ok(Some(length));
            }
            if buffer.is_full() {
                buffer.grow();
            }
            let empty = buffer.is_empty();
            let patience = self.patience(opening, empty, warm, &mut begun);
            match self.read(buffers, patience).await {
                ReadOutcome::Bytes => {}
                ReadOutcome::Nothing if patience.rests => {
                    if self.served == 0 {
                        self.count_the_kernels_wait();
                    }
                    return Ok(None);
                }
                ReadOutcome::Nothing => return Err(self.too_late(opening)),
                ReadOutcome::End => return Err(HeadError::Gone),
            }
        }
    }

    /// Returns how long to wait for more bytes. Between requests the buffers are kept for a while, for a new client not at all. Empty lines
    /// before a request (RFC 9112 section 2.2) do not start one and are dropped; half a line terminator is kept, as its other half may
    /// still arrive.
    fn patience(
        &mut self,
        opening: Opening,
        empty: bool,
        warm: Instant,
        begun: &mut Option<Instant>,
    ) -> Patience {
        let limits = &self.worker.engine.limits;
        let new = self.served == 0;
        let (until, idle, rests) = match opening {
            Opening::Nothing { .. } if new && empty && !self.io.is_watched() => {
                (self.now, true, true)
            }
            Opening::Nothing { half_line: false } if !new => (warm, true, true),
            Opening::Nothing { .. } if !new => (self.since + limits.idle, true, false),
            Opening::Nothing { .. } | Opening::Request => {
                self.state.move_to(ConnectionState::Head);
                let begun = *begun.get_or_insert_with(Instant::now);
                (begun + limits.header, false, false)
            }
        };
        Patience { until, idle, rests }
    }

    /// Handles a head that did not arrive in time. Only a client that has begun a request is answered: any other would take the 408 for the
    /// response to its next request.
    fn too_late(&self, opening: Opening) -> HeadError {
        let connections = &self.worker.tally.connections;
        // RFC 9110 section 15.5.9: a request that has begun and does not arrive in time is answered with 408.
        if opening == Opening::Request {
            connections.deadline(Deadline::Head);
            return HeadError::Refused(RequestRefusal::HeadTimeout);
        }
        connections.deadline(if self.served == 0 {
            Deadline::Head
        } else {
            Deadline::Idle
        });
        HeadError::Gone
    }

    /// Counts the time in the kernel as part of the header timeout. With deferred accept, a connection accepted without data was held by
    /// the kernel for the full period. Under a SYN flood the kernel holds none, so at most half of the timeout is counted.
    fn count_the_kernels_wait(&mut self) {
        let limits = &self.worker.engine.limits;
        if limits.defer_accept {
            let held = defer_accept::LONGEST.min(limits.header / 2);
            let since = self.since.checked_sub(held);
            self.since = since.unwrap_or(self.since);
        }
    }

    /// Reads the next bytes.
    async fn read(&mut self, buffers: &mut ClientBuffers, patience: Patience) -> ReadOutcome {
        let mut time = WakeTime::at(self.now);
        poll_fn(|cx| {
            let buffer = &mut buffers.incoming;
            match self.worker.buffers.poll_read(cx, &mut self.io, buffer) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(ReadOutcome::End),
                Poll::Ready(Ok(_)) => return Poll::Ready(ReadOutcome::Bytes),
                Poll::Pending => {}
            }
            self.now = time.now();
            let now = self.now;
            if patience.idle && self.served > 0 {
                self.state.move_to(ConnectionState::Idle);
                return self.poll_idle(cx, now, patience.until);
            }
            if patience.idle {
                self.state.move_to(ConnectionState::Idle);
            } else {
                self.is_busy();
            }
            let over = self.timer.poll(cx, now, Some(patience.until));
            over.map(|()| ReadOutcome::Nothing)
        })
        .await
    }
}
