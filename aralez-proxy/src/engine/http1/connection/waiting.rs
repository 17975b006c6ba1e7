//! Idle connections: waiting for the next request, the deadline, the shutdown of the process, or eviction by a new client.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use aralez_runtime::random;

use crate::core::leaving::Draw;
use crate::core::traffic::{ConnectionState, Deadline, TrafficEvent};
use crate::engine::http1::connection::{Connection, ReadOutcome};
use crate::engine::io::Io;

/// Time in which a client that has not sent a byte cannot be evicted: its first request may be on its way.
const NEW: Duration = Duration::from_secs(1);

impl<C: Io> Connection<C> {
    /// Waits for a request to begin.
    pub(super) async fn wait(&mut self) -> ReadOutcome {
        self.state.move_to(ConnectionState::Idle);
        let limits = &self.worker.engine.limits;
        let (deadline, limit) = if self.served == 0 {
            (Deadline::Head, limits.header)
        } else {
            (Deadline::Idle, limits.idle)
        };
        let until = self.since + limit;
        poll_fn(|cx| {
            match self.io.poll_readable(cx) {
                Poll::Ready(Ok(())) => return Poll::Ready(ReadOutcome::Bytes),
                Poll::Ready(Err(_)) => return Poll::Ready(ReadOutcome::End),
                Poll::Pending => {}
            }
            self.poll_idle(cx, Instant::now(), until).map(|ended| {
                if ended == ReadOutcome::Nothing {
                    self.worker.tally.connections.deadline(deadline);
                }
                ended
            })
        })
        .await
    }

    /// Polls an idle connection that has nothing to read. Returns [`ReadOutcome::Nothing`] if `until` has passed, [`ReadOutcome::End`] if
    /// the connection is to close for another reason.
    pub(super) fn poll_idle(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        until: Instant,
    ) -> Poll<ReadOutcome> {
        if self.is_evicted(cx) {
            self.worker.tally.event(TrafficEvent::Evicted);
            return Poll::Ready(ReadOutcome::End);
        }
        let leaves = self.leaves_at(cx, now);
        let first = leaves.map_or(until, |leaves| leaves.min(until));
        self.timer.poll(cx, now, Some(first)).map(|()| {
            if now >= until {
                return ReadOutcome::Nothing;
            }
            self.worker.tally.connections.deadline(Deadline::Drain);
            ReadOutcome::End
        })
    }

    /// Returns when the connection closes because the node is leaving. A new connection is served first, and its first answer closes it.
    fn leaves_at(&mut self, cx: &mut Context<'_>, now: Instant) -> Option<Instant> {
        if self.served == 0 {
            return None;
        }
        if self.leaves.is_none() && self.closing.poll(cx) {
            let closed = self.worker.engine.traffic.closed();
            let draw = Draw::new(random::bytes());
            self.leaves = Some(closed.map_or(now, |closed| closed.idle_until(draw)));
        }
        self.leaves
    }

    /// Registers the connection as idle. Returns whether it is evicted for a new one.
    fn is_evicted(&mut self, cx: &Context<'_>) -> bool {
        let Some(admitted) = &self.admitted else {
            return false;
        };
        let place = self
            .place
            .get_or_insert_with(|| admitted.idle_place(cx.waker().clone()));
        let since = if self.served == 0 {
            self.since + NEW
        } else {
            self.since
        };
        self.yields || place.mark_idle(since)
    }

    /// Registers the connection as busy. If it was chosen for eviction while bytes arrived, it closes after its next answer.
    pub(super) fn is_busy(&mut self) {
        if let Some(place) = &self.place {
            self.yields |= place.mark_busy();
        }
    }
}
