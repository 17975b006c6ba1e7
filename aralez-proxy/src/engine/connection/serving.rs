//! One request, from its head to the end of its answer.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::matcher::Scheme;

use super::answering::To;
use super::{Connection, Next};
use crate::core::additions::Additions;
use crate::core::answer::Answer;
use crate::core::decide::{self, Decision, Forward};
use crate::core::http1::body::{Body, Sender};
use crate::core::http1::forward::{self, RequestEdits};
use crate::core::http1::request::{HeadFields, RequestHead};
use crate::core::http1::response::Asked;
use crate::core::http1::{Framing, Refusal};
use crate::core::live::Origin;
use crate::core::rejection::Rejection;
use crate::core::request::{Context, Request};
use crate::core::retry;
use crate::core::table::CompiledRoute;
use crate::core::traffic::{ConnectionLimit, ConnectionState};
use crate::engine::ask::{Ask, Way};
use crate::engine::io::Io;
use crate::engine::relay::{Goes, Relay};
use crate::engine::worker::Job;

/// What becomes of a request.
enum Plan {
    Forward(Way),
    Answer(Own),
}

/// An answer of our own.
struct Own {
    answer: Answer,
    route: Option<Arc<CompiledRoute>>,
}

impl Own {
    fn of(status: u16) -> Self {
        Self {
            answer: Answer::of(status),
            route: None,
        }
    }
}

impl<C: Io> Connection<C> {
    /// Serves the request whose head stands in the buffer.
    pub(super) async fn serve_request(&mut self, job: &mut Job, length: usize) -> Next {
        self.state.move_to(ConnectionState::Exchange);
        let _in_flight = self.worker.tally.enter();
        self.now = Instant::now();
        let ask = self.ask(job);
        self.served += 1;
        self.worker.budget.earn();
        let plan = if self.has_descriptors() {
            self.plan(job, &ask)
        } else {
            Plan::Answer(Own::of(503))
        };
        job.state.from_client.consume(length);
        let next = match plan {
            Plan::Forward(way) => self.forward(job, &ask, &way).await,
            Plan::Answer(own) => self.answer_own(job, &ask, &own).await,
        };
        self.since = self.now;
        self.worker
            .tally
            .request_latency
            .observe(self.since.saturating_duration_since(ask.started));
        next
    }

    fn ask(&self, job: &Job) -> Ask {
        let bytes = job.state.from_client.filled();
        let head = &job.head;
        let method = head.method(bytes);
        let wishes = head.wishes(bytes);
        self.worker.tally.request(method, head.version().name());
        Ask {
            started: self.now,
            version: head.version(),
            framing: head.framing(),
            wishes,
            asked: Asked {
                head: method == "HEAD",
                web_socket: wishes.web_socket,
            },
            idempotent: retry::is_idempotent(method),
        }
    }

    /// Whether the request may have a connection to its endpoint. Without one it is answered at once, and its connection ends.
    fn has_descriptors(&mut self) -> bool {
        let engine = &self.worker.engine;
        let in_flight = || engine.traffic.in_flight();
        let has = engine.admission.has_descriptors(in_flight, self.now);
        if !has {
            self.yields = true;
            let connections = &self.worker.tally.connections;
            connections.turn_away(ConnectionLimit::Descriptors);
        }
        has
    }

    /// Whether the connection can stay open after this request.
    pub(super) fn may_keep(&self, ask: &Ask) -> bool {
        let engine = &self.worker.engine;
        ask.wishes.keep_alive
            && self.served < engine.limits.requests
            && !self.yields
            && !engine.traffic.is_draining()
    }

    /// Asks the core what is done, and writes what goes to an endpoint. One table decides all of a request.
    fn plan(&self, job: &mut Job, ask: &Ask) -> Plan {
        let live = self.worker.engine.live.load();
        if live.origin == Origin::None {
            self.worker.tally.connections.reject(Rejection::NotLoaded);
            return Plan::Answer(Own::of(503));
        }
        let bytes = job.state.from_client.filled();
        let engine = &self.worker.engine;
        let request = Request {
            method: job.head.method(bytes),
            scheme: if self.io.is_tls() {
                Scheme::Https
            } else {
                Scheme::Http
            },
            host: job.head.host(bytes),
            target: job.head.target(bytes),
            client: self.address,
            fields: HeadFields::new(&job.head, bytes),
        };
        let context = Context {
            node: &engine.node,
            tls_port: engine.tls_port,
        };
        let mut additions = Additions::default();
        match decide::decide(&live.table, &context, &request, &mut additions) {
            Decision::Forward(decided) => {
                Plan::Forward(self.set_out(&mut job.state.up, (&job.head, bytes), ask, &decided))
            }
            Decision::Answer { answer, route } => Plan::Answer(Own {
                answer,
                route: route.map(Arc::clone),
            }),
            Decision::Reject(rejection) => {
                self.worker.tally.connections.reject(rejection);
                Plan::Answer(Own::of(rejection.status()))
            }
        }
    }

    /// Writes the head as it goes to an endpoint, whichever that will be.
    fn set_out(
        &self,
        up: &mut Relay,
        (head, bytes): (&RequestHead, &[u8]),
        ask: &Ask,
        decided: &Forward<'_>,
    ) -> Way {
        let missing_host = (!head.has_host_field()).then(|| self.own_host(head.host(bytes)));
        let edits = RequestEdits {
            target: decided.path_and_query.text(head.target(bytes)),
            missing_host: missing_host.as_deref(),
            route: &decided.route.rules.request_edits,
            additions: &Additions::default().request,
            forwarded: &self.forwarded,
            node: &self.worker.engine.node,
            wishes: ask.wishes,
        };
        let keeps = if ask.idempotent {
            retry::LARGEST_REPLAY
        } else {
            0
        };
        up.out.begin(keeps);
        forward::request(head, bytes, &edits, up.out.head());
        let goes = Goes {
            chunked: ask.framing == Framing::Chunked,
            trailers: true,
        };
        up.begin(Body::new(ask.framing, Sender::Client), goes);
        Way {
            route: Arc::clone(decided.route),
            pool: Arc::clone(decided.pool),
        }
    }

    /// What an endpoint is asked for where a request has no `Host`: the host of its absolute target, else the address that it came to, as
    /// the client would have written it.
    fn own_host(&self, asked: Option<&str>) -> String {
        let local = || self.io.local().map(|address| address.to_string());
        asked.map(str::to_owned).or_else(local).unwrap_or_default()
    }

    async fn answer_own(&mut self, job: &mut Job, ask: &Ask, own: &Own) -> Next {
        let route = own.route.as_ref();
        let edits = route.map(|route| &*route.rules.response_edits);
        // After a request that could be read in two ways, or whose body is still to come, nobody knows where the next one begins.
        let keep = own.answer.status != 400 && !ask.has_body() && self.may_keep(ask);
        let mut to = Self::to(ask, keep);
        to.last &= own.answer.status != 400;
        self.answer(job, (&own.answer, edits), to).await
    }

    /// Answers in place of an endpoint; the connection can stay open where the request has no body.
    pub(super) async fn answer_for_endpoint(
        &mut self,
        job: &mut Job,
        ask: &Ask,
        status: u16,
    ) -> Next {
        let keep = !ask.has_body() && self.may_keep(ask);
        self.answer(job, (&Answer::of(status), None), Self::to(ask, keep))
            .await
    }

    /// Answers a body that is not fit to go on.
    pub(super) async fn refuse_body(&mut self, job: &mut Job, ask: &Ask, refusal: Refusal) -> Next {
        self.worker.tally.connections.refuse(refusal);
        self.answer(
            job,
            (&Answer::of(refusal.status()), None),
            Self::to(ask, false),
        )
        .await
    }

    const fn to(ask: &Ask, keep: bool) -> To {
        To {
            version: ask.version,
            head: ask.asked.head,
            keep,
            last: !keep && ask.is_last(),
        }
    }
}
