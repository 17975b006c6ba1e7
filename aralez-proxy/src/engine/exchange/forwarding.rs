//! Forwarding a request: choosing an endpoint, obtaining a connection, and retrying when either fails.

use std::future::poll_fn;
use std::time::Instant;

use crate::core::request::balance::Chosen;
use crate::core::request::http1::Framing;
use crate::core::request::http1::body::{Body, Sender};
use crate::core::request::http1::response::BadResponse;
use crate::core::request::outcome::{Conclusion, Reason};
use crate::core::request::retry::Attempt;
use crate::core::traffic::{Deadline, TrafficEvent};
use crate::engine::exchange::Exchange;
use crate::engine::exchange::client_side::{ClientSide, RequestChanges};
use crate::engine::exchange::connecting::{Link, Search, SearchLimits};
use crate::engine::exchange::duplex::{BodyRefusal, Duplex, TryContext, TryEnd};
use crate::engine::exchange::facts::{Upstream, limit};
use crate::engine::io::body_relay::BodyFraming;
use crate::engine::io::stall::WakeTime;
use crate::engine::upstream::connect::NotConnected;
use aralez_decision::answer::Answer;

impl<C: ClientSide> Exchange<'_, C> {
    /// Forwards the request to an endpoint and relays the response to the client.
    pub(super) async fn forward(&mut self, upstream: &Upstream) -> Conclusion {
        let conclusion = self.try_endpoints(upstream).await;
        self.worker.buffers.give(&mut self.side.buffer);
        conclusion
    }

    /// Tries the endpoints of the pool until one accepts a connection. The others were sent nothing, so any method may be tried again.
    async fn try_endpoints(&mut self, upstream: &Upstream) -> Conclusion {
        let mut search = Search::new(SearchLimits {
            connect: limit(upstream.timeouts().connect),
            end: upstream.end_of(self.client.facts()),
        });
        while let Some(chosen) = upstream.pool.choose(&mut search.walk, self.uptime()) {
            if search.walk.count() > 1 {
                self.worker.tally.event(TrafficEvent::Retry);
            }
            if let Err(refusal) = self.prepare(upstream, &chosen) {
                return self.refuse_body(upstream, refusal, None).await;
            }
            let _running = chosen.at.load.begin();
            let tried = self.try_endpoint(upstream, &chosen, &mut search).await;
            match tried {
                Ok(conclusion) => return conclusion,
                Err(NotConnected::ClientGone) => return Conclusion::ClientGone,
                Err(failed) if !search.goes_on(failed).await => break,
                Err(_) => self.now = Instant::now(),
            }
        }
        self.outcome.reason = Some(Reason::NotConnected);
        let answer = Answer::of(search.status());
        self.answer(&answer, Some(&upstream.route), None).await
    }

    /// Writes the request head for an endpoint and stages the part of the body that has already arrived. The body is validated before an
    /// endpoint receives a byte of the request.
    fn prepare(&mut self, upstream: &Upstream, chosen: &Chosen<'_>) -> Result<(), BodyRefusal> {
        self.outcome.endpoint = Some(chosen.at.peer.address().clone());
        self.outcome.tries += 1;
        if !self.client.has_head() {
            // The request was already sent on a kept connection: resend it as written.
            return Ok(());
        }
        let client = &mut *self.client;
        let changes = RequestChanges {
            target: upstream.target.text(client.request().target),
            route: &upstream.route.rules.request_edits,
            additions: &self.additions.request,
            client: upstream.client,
            node: &self.worker.engine.node,
            ids: &self.ids,
        };
        let up = &mut self.side.up;
        if self.outcome.tries > 1 {
            let length = self.side.head_length;
            let write = |out: &mut Vec<u8>| client.write_head(&changes, out);
            self.side.head_length = up.out.replace_head(length, write);
        } else {
            up.out.begin(client.facts().keeps());
            client.write_head(&changes, up.out.head());
            self.side.head_length = up.out.head().len();
            self.stage_body(upstream)?;
        }
        if chosen.is_last {
            // The head is not needed for another try: release its memory while the endpoint works.
            self.client.release_head();
        }
        Ok(())
    }

    fn stage_body(&mut self, upstream: &Upstream) -> Result<(), BodyRefusal> {
        let framing = self.client.facts().framing;
        let goes = BodyFraming {
            chunked: framing == Framing::Chunked,
            trailers: true,
        };
        let up = &mut self.side.up;
        up.begin(Body::new(framing, Sender::Client), goes);
        if up.stage(self.client.body())?
            && upstream.most_body().is_some_and(|most| up.data() > most)
        {
            return Err(BodyRefusal::TooLarge);
        }
        Ok(())
    }

    /// Runs the exchange with one endpoint, and again on a new connection if a kept one turned out to be closed.
    async fn try_endpoint(
        &mut self,
        upstream: &Upstream,
        chosen: &Chosen<'_>,
        search: &mut Search,
    ) -> Result<Conclusion, NotConnected> {
        loop {
            let mut link = self.link(chosen, search).await?;
            let attempt = Attempt {
                reused: link.reused,
                again: search.anew,
                allowed: self.worker.budget.allows(),
            };
            let end = self.duplex(upstream, &mut link, attempt).await;
            let answered = self.side.progress.touched && end != TryEnd::IdleTimeout;
            let idempotent = self.client.facts().idempotent;
            let failed = self.side.failed(idempotent, attempt, answered);
            let early = matches!(end, TryEnd::Bad(BadResponse::Early) | TryEnd::IdleTimeout);
            if early && failed.is_no_connection() {
                chosen.at.load.rest().failed(self.uptime());
                self.side.up.out.rewind();
                return Err(NotConnected::Refused);
            }
            if !early || !failed.is_retried() {
                if attempt.again && matches!(end, TryEnd::Bad(_) | TryEnd::TooSlow(_)) {
                    self.worker.budget.spend();
                }
                return Ok(self.conclude(upstream, link, chosen, end).await);
            }
            let tally = &self.worker.tally;
            tally.event(TrafficEvent::Stale);
            tally.event(TrafficEvent::Retry);
            self.side.up.out.rewind();
            // The buffer may hold a 408 that is not relayed.
            self.worker.buffers.give(&mut self.side.buffer);
            search.anew = true;
        }
    }

    async fn duplex(&mut self, upstream: &Upstream, link: &mut Link, attempt: Attempt) -> TryEnd {
        let terms = TryContext {
            upstream,
            additions: &self.additions.response,
            attempt,
            limits: &self.worker.engine.limits,
            date: self.worker.date(self.now),
            buffers: &self.worker.buffers,
        };
        let mut duplex = Duplex::new(self.side, self.client, &mut link.stream, self.timer, terms);
        let mut time = WakeTime::at(self.now);
        poll_fn(|cx| {
            self.now = time.now();
            let end = duplex.poll(cx, self.now);
            if duplex.side.progress.status != 0 {
                self.outcome.responded.get_or_insert(self.now);
            }
            end
        })
        .await
    }

    /// Turns the end of a try into the conclusion of the exchange.
    async fn conclude(
        &mut self,
        upstream: &Upstream,
        link: Link,
        chosen: &Chosen<'_>,
        end: TryEnd,
    ) -> Conclusion {
        let answered = self.side.is_answered(self.client);
        if answered {
            self.outcome.status = self.side.progress.status;
        }
        let (reason, deadline) = match end {
            TryEnd::Done => return self.done(upstream, link, chosen),
            TryEnd::Switched => {
                let from = &mut self.side.buffer;
                self.client.tunnel(link.stream, from, self.timer).await;
                self.now = Instant::now();
                return Conclusion::Tunnelled;
            }
            TryEnd::ClientGone(deadline) => {
                self.outcome.deadline = deadline;
                return Conclusion::ClientGone;
            }
            TryEnd::Refused(refusal, deadline) => {
                drop(link);
                return self
                    .refuse_or_cut(upstream, (refusal, deadline), answered)
                    .await;
            }
            // Not reached: `try_endpoint` retries a request whose try ended this way.
            TryEnd::IdleTimeout => (Reason::IdleTimeout, None),
            TryEnd::Bad(bad) => (Reason::Bad(bad), None),
            TryEnd::TooSlow(deadline) => (Reason::TooSlow, Some(deadline)),
        };
        drop(link);
        self.outcome.reason = Some(reason);
        self.outcome.deadline = deadline;
        if answered {
            return self.truncate();
        }
        // RFC 9110 section 15.6.3: an invalid response of an endpoint is answered with 502.
        // RFC 9110 section 15.6.5: an endpoint that does not respond in time is answered for with 504.
        let status = if deadline.is_some() { 504 } else { 502 };
        self.answer(&Answer::of(status), Some(&upstream.route), None)
            .await
    }

    async fn refuse_or_cut(
        &mut self,
        upstream: &Upstream,
        (refusal, deadline): (BodyRefusal, Option<Deadline>),
        answered: bool,
    ) -> Conclusion {
        if answered {
            self.outcome.deadline = deadline;
            return self.truncate();
        }
        self.refuse_body(upstream, refusal, deadline).await
    }

    /// Answers a request whose body cannot be forwarded.
    async fn refuse_body(
        &mut self,
        upstream: &Upstream,
        refusal: BodyRefusal,
        deadline: Option<Deadline>,
    ) -> Conclusion {
        self.outcome.reason = Some(refusal.reason());
        self.outcome.deadline = deadline;
        let answer = Answer::of(refusal.status());
        self.answer(&answer, Some(&upstream.route), None).await
    }

    /// Cuts the response short, so that the client cannot mistake it for a complete one.
    fn truncate(&mut self) -> Conclusion {
        self.client.cut();
        Conclusion::Truncated
    }

    /// Concludes an exchange whose response was delivered, and returns the endpoint connection to the pool if it can be reused.
    fn done(&self, upstream: &Upstream, link: Link, chosen: &Chosen<'_>) -> Conclusion {
        let taken = self.side.has_taken_all();
        // RFC 9112 section 9.2: data behind the response to the last request on a connection is no response, and the connection closes.
        // RFC 9112 section 9.3: a client reads the whole response before it uses the connection again.
        if !self.side.buffer.is_empty() {
            self.worker.tally.event(TrafficEvent::UnexpectedData);
        } else if taken && self.side.progress.keep_endpoint {
            let most = limit(upstream.timeouts().idle);
            self.keep(&chosen.at.peer, link.stream, most);
        }
        Conclusion::Relayed { taken }
    }
}
