//! The head of the next request, as its bytes come.

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

/// Why no head was read.
pub(super) enum HeadError {
    Gone,
    Refused(RequestRefusal),
}

impl From<RequestRefusal> for HeadError {
    fn from(refusal: RequestRefusal) -> Self {
        Self::Refused(refusal)
    }
}

/// How long the next read may take, and what it means when nothing comes.
#[derive(Clone, Copy)]
struct Patience {
    until: Instant,
    /// Nothing runs: no byte of a request has come.
    idle: bool,
    /// What the connection needs for a request is given back, and waiting goes on without it.
    rests: bool,
}

impl<C: Io> Connection<C> {
    /// Reads a head; its length. `None`: nothing came for a while.
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

    /// What a request needs is held for the next one for a while, and for a new client not at all. Empty lines before a request
    /// (RFC 9112 section 2.2) begin nothing, and are forgotten; of half an end of a line the other half may still come.
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

    /// No head in time. Only a client that has begun a request gets an answer: another one would take it for the answer to the request
    /// that it sends next.
    fn too_late(&self, opening: Opening) -> HeadError {
        let connections = &self.worker.tally.connections;
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

    /// A connection that comes without a byte where those that have some come first was held for as long as the kernel holds one. That is
    /// a part of the time in which its head has to be here. Under a flood the kernel holds none, so some time is left in any case.
    fn count_the_kernels_wait(&mut self) {
        let limits = &self.worker.engine.limits;
        if limits.defer_accept {
            let held = defer_accept::LONGEST.min(limits.header / 2);
            let since = self.since.checked_sub(held);
            self.since = since.unwrap_or(self.since);
        }
    }

    /// Reads what comes.
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
