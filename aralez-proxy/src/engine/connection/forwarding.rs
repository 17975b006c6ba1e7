//! A request on its way to an endpoint: which one, on which connection, and what follows where that fails.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::connecting::{Link, Search};
use super::{Connection, Next, linger};
use crate::core::balance::Chosen;
use crate::core::http1::response::BadResponse;
use crate::core::retry::Attempt;
use crate::core::traffic::Event;
use crate::engine::ask::{Ask, Way, limit};
use crate::engine::duplex::{Duplex, End, Terms};
use crate::engine::io::Io;
use crate::engine::upstream::connect::NotConnected;
use crate::engine::worker::Job;

impl<C: Io> Connection<C> {
    /// Sends the request to an endpoint and its answer to the client.
    pub(super) async fn forward(&mut self, job: &mut Job, ask: &Ask, way: &Way) -> Next {
        // What has come of the body already is looked at before an endpoint sees a byte of the request.
        if let Err(bad) = job.state.up.stage(&mut job.state.from_client) {
            return self.refuse_body(job, ask, bad.into()).await;
        }
        let next = self.try_endpoints(job, ask, way).await;
        self.worker.buffers.give(&mut job.state.from_endpoint);
        next
    }

    /// Goes through the endpoints of the pool until one takes a connection. Nothing was sent to the others, so any method may be tried again.
    async fn try_endpoints(&mut self, job: &mut Job, ask: &Ask, way: &Way) -> Next {
        let mut search = Search::default();
        while let Some(chosen) = way.pool.choose(&mut search.walk, self.uptime()) {
            if search.walk.count() > 1 {
                self.worker.tally.event(Event::Retry);
            }
            let _running = chosen.at.load.begin();
            let tried = self.try_endpoint(job, ask, way, &chosen, &mut search).await;
            match tried {
                Ok(next) => return next,
                Err(NotConnected::ClientGone) => return self.client_is_gone(),
                Err(failed) if !search.goes_on(failed).await => break,
                Err(_) => self.now = Instant::now(),
            }
        }
        self.worker.tally.event(Event::Error);
        self.answer_for_endpoint(job, ask, search.status()).await
    }

    /// Runs the exchange with an endpoint, once more on a new connection where a kept one turned out to be closed.
    async fn try_endpoint(
        &mut self,
        job: &mut Job,
        ask: &Ask,
        way: &Way,
        chosen: &Chosen<'_>,
        search: &mut Search,
    ) -> Result<Next, NotConnected> {
        loop {
            let mut link = self.link(job, ask, way, chosen, search).await?;
            let attempt = Attempt {
                reused: link.reused,
                again: search.anew,
                allowed: self.worker.budget.allows(),
            };
            let end = self.duplex(job, ask, way, (&mut link, attempt)).await;
            let answered = job.state.progress.touched && end != End::IdleTimeout;
            let failed = job.state.failed(ask, attempt, answered);
            let early = matches!(end, End::Bad(BadResponse::Early) | End::IdleTimeout);
            if early && failed.is_no_connection() {
                chosen.at.load.rest().failed(self.uptime());
                job.state.up.out.rewind();
                return Err(NotConnected::Refused);
            }
            if !early || !failed.is_retried() {
                if attempt.again && matches!(end, End::Bad(_) | End::TooSlow(_)) {
                    self.worker.budget.spend();
                }
                return Ok(self.finish(job, ask, way, (link, chosen), end).await);
            }
            let tally = &self.worker.tally;
            tally.event(Event::Stale);
            tally.event(Event::Retry);
            job.state.up.out.rewind();
            // A 408 that is not passed on stands there.
            self.worker.buffers.give(&mut job.state.from_endpoint);
            search.anew = true;
        }
    }

    async fn duplex(
        &mut self,
        job: &mut Job,
        ask: &Ask,
        way: &Way,
        (link, attempt): (&mut Link, Attempt),
    ) -> End {
        let terms = Terms {
            attempt,
            ask,
            way,
            limits: &self.worker.engine.limits,
            date: self.worker.date(self.now),
            may_keep: self.may_keep(ask),
            traffic: &self.worker.engine.traffic,
            buffers: &self.worker.buffers,
            unwatched: &self.worker.unwatched,
        };
        job.state.down.out.begin(0);
        let mut duplex = Duplex::new(
            &mut job.state,
            &mut self.io,
            &mut link.stream,
            &mut self.timer,
            terms,
        );
        let tally = &self.worker.tally;
        let mut told = false;
        // The clock is read once for each time that the task is woken.
        let mut first = Some(self.now);
        poll_fn(|cx| {
            self.now = first.take().unwrap_or_else(Instant::now);
            let end = duplex.poll(cx, self.now);
            if !told && duplex.state.progress.status != 0 {
                told = true;
                let took = self.now.saturating_duration_since(ask.started);
                tally.response_latency.observe(took);
            }
            end
        })
        .await
    }

    /// What follows the end of an exchange.
    async fn finish(
        &mut self,
        job: &mut Job,
        ask: &Ask,
        way: &Way,
        (link, chosen): (Link, &Chosen<'_>),
        end: End,
    ) -> Next {
        let tally = Arc::clone(&self.worker.tally);
        if job.state.is_answered() {
            tally.response(job.state.progress.status);
        }
        let (answer, deadline) = match end {
            End::Done => return self.done(job, ask, way, (link, chosen)),
            End::Switched => return self.tunnel(job, link.stream).await,
            End::ClientGone(deadline) => (None, deadline),
            End::Refused(refusal, deadline) => (Some(refusal.status()), deadline),
            // The exchange ends so only where the request is sent again.
            End::IdleTimeout => (Some(502), None),
            End::Bad(bad) => {
                tally.connections.bad_response(bad);
                (Some(502), None)
            }
            End::TooSlow(deadline) => (Some(504), Some(deadline)),
        };
        drop(link);
        if let Some(deadline) = deadline {
            tally.connections.deadline(deadline);
        }
        match (answer, end) {
            (None, _) => self.client_is_gone(),
            (Some(_), _) if job.state.is_answered() => self.truncate(job),
            (_, End::Refused(refusal, _)) => self.refuse_body(job, ask, refusal).await,
            (Some(status), _) => {
                tally.event(Event::Error);
                self.answer_for_endpoint(job, ask, status).await
            }
        }
    }

    /// The client went away before its answer was there.
    fn client_is_gone(&self) -> Next {
        self.worker.tally.event(Event::Error);
        self.worker.tally.event(Event::ClientGone);
        Next::Close
    }

    /// Ends a connection in the middle of a response, so that the client does not take what it has for the whole.
    fn truncate(&mut self, job: &Job) -> Next {
        let tally = &self.worker.tally;
        tally.event(Event::Error);
        tally.event(Event::Truncated);
        if job.state.progress.until_close {
            self.io.abort();
        }
        Next::Close
    }

    /// The response is with the client.
    fn done(
        &self,
        job: &mut Job,
        ask: &Ask,
        way: &Way,
        (link, chosen): (Link, &Chosen<'_>),
    ) -> Next {
        let state = &job.state;
        let sent = state.up.is_ended() && state.up.out.is_empty() && !state.progress.stopped;
        let tally = &self.worker.tally;
        if !state.from_endpoint.is_empty() {
            tally.event(Event::UnexpectedData);
        } else if sent && state.progress.keep_endpoint {
            let told = state.head.keep_alive_for();
            let idle = [limit(way.timeouts().idle), told]
                .into_iter()
                .flatten()
                .min();
            if idle != Some(Duration::ZERO) {
                let until = idle.map(|idle| self.now + idle);
                self.worker.pool.put(&chosen.at.peer, link.stream, until);
            }
        }
        if sent && state.progress.keep_client {
            Next::Request
        } else if sent && !ask.wishes.keep_alive && state.from_client.is_empty() {
            Next::Close
        } else {
            // The client is still sending, or may be: it hoped for another request.
            Next::Linger(linger::USUAL)
        }
    }
}
