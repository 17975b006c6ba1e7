//! A request on its way to an endpoint: which one, on which connection, and what follows where that fails.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::model::EndpointAddress;
use tokio::net::TcpStream;

use super::{Connection, Next, linger};
use crate::core::balance::Tried;
use crate::core::http1::response::BadResponse;
use crate::core::retry::{self, Failed};
use crate::core::traffic::{Deadline, Event};
use crate::engine::ask::{Ask, Way, limit};
use crate::engine::connect::{self, NotConnected};
use crate::engine::duplex::{Duplex, End, Terms};
use crate::engine::io::Io;
use crate::engine::pool::Found;
use crate::engine::worker::Job;

/// A connection to an endpoint, as it is used for one try.
struct Link {
    address: EndpointAddress,
    stream: TcpStream,
    reused: bool,
}

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

    async fn try_endpoints(&mut self, job: &mut Job, ask: &Ask, way: &Way) -> Next {
        let mut tried = Tried::none();
        let mut status = 503;
        let mut anew = false;
        while let Some(chosen) = way.pool.choose(&tried) {
            let address = chosen.endpoint.address;
            let _running = chosen.load.begin();
            match self.try_endpoint(job, ask, way, address, &mut anew).await {
                Ok(next) => return next,
                Err(failed) => status = failed.status(),
            }
            let again = !tried.is_empty();
            tried.add(address);
            if !self.may_connect_again(&tried, again, way) {
                break;
            }
        }
        self.worker.tally.event(Event::Error);
        self.answer_for_endpoint(job, ask, status).await
    }

    /// Runs the exchange with an endpoint, once more on a new connection where a kept one turned out to be closed. `anew`: that has
    /// happened, and kept connections are trusted no more.
    async fn try_endpoint(
        &mut self,
        job: &mut Job,
        ask: &Ask,
        way: &Way,
        address: EndpointAddress,
        anew: &mut bool,
    ) -> Result<Next, NotConnected> {
        loop {
            let mut link = if *anew {
                self.connect(ask, way, address).await?
            } else {
                self.link(ask, way, address).await?
            };
            let end = self.duplex(job, ask, way, &mut link).await;
            let failed = Failed {
                reused: link.reused,
                answered: job.state.progress.touched,
                sent: job.state.up.out.has_sent(),
                idempotent: ask.idempotent,
                kept: job.state.up.out.is_kept(),
                again: *anew,
            };
            if end != End::Bad(BadResponse::Early) || !failed.is_retried() {
                return Ok(self.finish(job, ask, way, link, end).await);
            }
            let tally = &self.worker.tally;
            tally.event(Event::Stale);
            tally.event(Event::Retry);
            job.state.up.out.rewind();
            *anew = true;
        }
    }

    /// An endpoint cannot be connected to: whether another one is tried. Nothing was sent yet, so any method may be.
    fn may_connect_again(&self, tried: &Tried, again: bool, way: &Way) -> bool {
        if again {
            self.worker.budget.spend();
        }
        let more = tried.len() < retry::CONNECT_TRIES && way.pool.choose(tried).is_some();
        let more = more && self.worker.budget.allows();
        if more {
            self.worker.tally.event(Event::Retry);
        }
        more
    }

    /// A connection to an endpoint: one that waits, or a new one.
    async fn link(
        &mut self,
        ask: &Ask,
        way: &Way,
        address: EndpointAddress,
    ) -> Result<Link, NotConnected> {
        let (found, ended) = self.worker.pool.take(address, ask.started);
        self.worker.note(ended);
        match found {
            Found::Kept(stream) => {
                self.worker.tally.event(Event::Reused);
                Ok(Link {
                    address,
                    stream,
                    reused: true,
                })
            }
            Found::Nothing => self.connect(ask, way, address).await,
        }
    }

    async fn connect(
        &mut self,
        ask: &Ask,
        way: &Way,
        address: EndpointAddress,
    ) -> Result<Link, NotConnected> {
        let own = limit(way.timeouts().connect).map(|limit| Instant::now() + limit);
        let until = [own, way.end_of(ask)].into_iter().flatten().min();
        let stream = connect::to(address, &mut self.timer, until).await;
        self.now = Instant::now();
        let tally = &self.worker.tally;
        match &stream {
            Ok(_) => tally.event(Event::Connected),
            Err(failed) => {
                tally.event(Event::ConnectFailed);
                if *failed == NotConnected::TooSlow {
                    tally.connections.deadline(Deadline::Connect);
                }
            }
        }
        stream.map(|stream| Link {
            address,
            stream,
            reused: false,
        })
    }

    async fn duplex(&mut self, job: &mut Job, ask: &Ask, way: &Way, link: &mut Link) -> End {
        let terms = Terms {
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
    async fn finish(&mut self, job: &mut Job, ask: &Ask, way: &Way, link: Link, end: End) -> Next {
        let tally = Arc::clone(&self.worker.tally);
        if job.state.is_answered() {
            tally.response(job.state.progress.status);
        }
        let (answer, deadline) = match end {
            End::Done => return self.done(job, ask, way, link),
            End::Switched => return self.tunnel(job, link.stream).await,
            End::ClientGone(deadline) => (None, deadline),
            End::Refused(refusal, deadline) => (Some(refusal.status()), deadline),
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
            (None, _) => {
                tally.event(Event::Error);
                tally.event(Event::ClientGone);
                Next::Close
            }
            (Some(_), _) if job.state.is_answered() => self.truncate(job),
            (_, End::Refused(refusal, _)) => self.refuse_body(job, ask, refusal).await,
            (Some(status), _) => {
                tally.event(Event::Error);
                self.answer_for_endpoint(job, ask, status).await
            }
        }
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
    fn done(&self, job: &mut Job, ask: &Ask, way: &Way, link: Link) -> Next {
        let state = &job.state;
        let sent = state.up.is_ended() && state.up.out.is_empty() && !state.progress.stopped;
        let tally = &self.worker.tally;
        if !state.from_endpoint.is_empty() {
            tally.event(Event::UnexpectedData);
        } else if sent && state.progress.keep_endpoint {
            let idle = limit(way.timeouts().idle);
            let until = idle.map(|idle| self.now + idle);
            self.worker.pool.put(link.address, link.stream, until);
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
