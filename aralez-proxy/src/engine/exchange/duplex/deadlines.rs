//! Deadlines of the waits of an exchange.

use std::task::{Context, Poll, ready};
use std::time::Instant;

use crate::core::limits::ClientLimits;
use crate::core::request::http1::RequestRefusal;
use crate::core::traffic::Deadline;
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::exchange::duplex::{BodyRefusal, Duplex, TryEnd};
use crate::engine::exchange::facts::limit;
use crate::engine::io::stall;

impl<C: ClientSide> Duplex<'_, C> {
    /// Ends the try when a wait exceeds its deadline.
    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<TryEnd> {
        let Some((deadline, at)) = self.next_deadline() else {
            return Poll::Pending;
        };
        ready!(self.timer.poll(cx, now, Some(at)));
        Poll::Ready(match deadline {
            Deadline::Body | Deadline::BodyRate if self.has_head() => {
                TryEnd::ClientGone(Some(deadline))
            }
            Deadline::Body | Deadline::BodyRate => {
                let refusal = BodyRefusal::Unreadable(RequestRefusal::BodyTimeout);
                TryEnd::Refused(refusal, Some(deadline))
            }
            Deadline::Write => TryEnd::ClientGone(Some(deadline)),
            _ => TryEnd::TooSlow(deadline),
        })
    }

    fn next_deadline(&self) -> Option<(Deadline, Instant)> {
        let all = [
            self.body_deadline(),
            self.endpoint_write_deadline(),
            self.read_deadline(),
            self.client_write_deadline(),
            self.terms
                .upstream
                .end_of(self.client.facts())
                .map(|at| (Deadline::Total, at)),
        ];
        all.into_iter().flatten().min_by_key(|(_, at)| *at)
    }

    fn body_deadline(&self) -> Option<(Deadline, Instant)> {
        let since = self.clocks.body.since()?;
        // A client that awaits a 100 is not responsible for the wait.
        if self.awaits_continue() {
            return None;
        }
        let ClientLimits {
            body,
            body_min_rate,
            ..
        } = *self.terms.limits;
        let spent = self.clocks.body.spent();
        let idle = since + body;
        let slow = stall::slow_at(since, spent, self.clocks.received, body_min_rate, body);
        match slow {
            Some(slow) if slow < idle => Some((Deadline::BodyRate, slow)),
            _ => Some((Deadline::Body, idle)),
        }
    }

    fn endpoint_write_deadline(&self) -> Option<(Deadline, Instant)> {
        let since = self.clocks.endpoint_write.since()?;
        limit(self.terms.upstream.timeouts().write)
            .map(|limit| (Deadline::EndpointWrite, since + limit))
    }

    fn client_write_deadline(&self) -> Option<(Deadline, Instant)> {
        let since = self.clocks.client_write.since()?;
        Some((Deadline::Write, since + self.terms.limits.write))
    }

    fn read_deadline(&self) -> Option<(Deadline, Instant)> {
        let since = self.clocks.endpoint.filter(|_| self.clocks.reading)?;
        let busy = self
            .clocks
            .body
            .since()
            .or(self.clocks.endpoint_write.since());
        if busy.is_some() && !self.has_head() && !self.awaits_continue() {
            // The endpoint is not expected to respond before it has received the whole request.
            return None;
        }
        let timeouts = self.terms.upstream.timeouts();
        let (deadline, said) = if self.side.progress.touched {
            (Deadline::Read, timeouts.read)
        } else {
            (Deadline::FirstByte, timeouts.to_first_byte())
        };
        limit(said).map(|limit| (deadline, since + limit))
    }

    /// Returns whether the client awaits a 100 before it sends its body.
    fn awaits_continue(&self) -> bool {
        let progress = &self.side.progress;
        self.client.facts().options.expects_continue
            && !progress.continued
            && self.clocks.received == 0
            && self.side.up.data() == 0
    }
}
