//! Answers that the proxy gives itself.

use std::future::poll_fn;
use std::task::{Poll, ready};
use std::time::Instant;

use super::{Connection, Next, linger};
use crate::core::additions::FieldList;
use crate::core::answer::Answer;
use crate::core::edits::CompiledEdits;
use crate::core::http1::Refusal;
use crate::core::http1::Version;
use crate::core::http1::answer::{self, Frame};
use crate::core::traffic::{Deadline, Event};
use crate::engine::io::Io;
use crate::engine::worker::Job;

/// What an answer must know of its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct To {
    pub(super) version: Version,
    pub(super) head: bool,
    /// The connection can stay open.
    pub(super) keep: bool,
    /// The client expects the end: all of its request has come, and it asked for no other.
    pub(super) last: bool,
}

impl<C: Io> Connection<C> {
    /// Answers a request that was refused before anything was decided about it. Nobody knows where the next one would begin.
    pub(super) async fn refuse(&mut self, job: &mut Job, refusal: Refusal) -> Next {
        self.worker.tally.refused_request();
        self.worker.tally.connections.refuse(refusal);
        let to = To {
            version: Version::Http11,
            head: false,
            keep: false,
            last: false,
        };
        self.answer(job, (&Answer::of(refusal.status()), None), to)
            .await
    }

    /// Sends an answer.
    pub(super) async fn answer(
        &mut self,
        job: &mut Job,
        (answer, route): (&Answer, Option<&CompiledEdits>),
        to: To,
    ) -> Next {
        let frame = Frame {
            version: to.version,
            head: to.head,
            keep_alive: to.keep,
            date: &self.worker.date(self.now),
            route,
            additions: &FieldList::default(),
        };
        let out = &mut job.state.down.out;
        out.begin(0);
        answer::write(answer, &frame, out.head());
        self.worker.tally.response(answer.status);
        if !self.send(job).await {
            return Next::Close;
        }
        if to.keep {
            Next::Request
        } else if to.last && job.state.from_client.is_empty() {
            Next::Close
        } else if answer.status == 408 {
            Next::Linger(linger::Longest::Brief)
        } else {
            Next::Linger(linger::USUAL)
        }
    }

    /// Sends what is on its way to the client; `false`: it takes nothing.
    async fn send(&mut self, job: &mut Job) -> bool {
        let until = Instant::now() + self.worker.engine.limits.write;
        let state = &mut job.state;
        let sent = poll_fn(|cx| {
            if let Poll::Ready(sent) =
                state
                    .down
                    .out
                    .poll_send(cx, &mut self.io, &mut state.from_endpoint)
            {
                return Poll::Ready(Some(sent.is_ok()));
            }
            ready!(self.timer.poll(cx, Instant::now(), Some(until)));
            Poll::Ready(None)
        })
        .await;
        let tally = &self.worker.tally;
        match sent {
            Some(true) => return true,
            Some(false) => {}
            None => tally.connections.deadline(Deadline::Write),
        }
        tally.event(Event::ClientGone);
        false
    }
}
