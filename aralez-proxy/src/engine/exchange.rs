//! An exchange: one request and its response, from the decision to its end, independent of the client's protocol.
//!
//! It asks for a decision ([`aralez_decision::decide`]), and then either answers, or chooses an endpoint, writes the request head,
//! connects, and moves bytes in both directions ([`duplex`]), with a retry if that is safe. The client is a [`ClientSide`]. The result is
//! collected in one [`Outcome`], which is counted when the exchange is dropped. So every exchange is counted once, whether it was concluded
//! or cancelled.

use std::sync::Arc;
use std::time::Instant;

use crate::core::live::{LiveTable, Origin};
use crate::core::request::http1::RequestRefusal;
use crate::core::request::listener_role::{FileServer, ListenerRole};
use crate::core::request::outcome::{Conclusion, Outcome, Reason};
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::exchange::facts::Upstream;
use crate::engine::io::timer::Timer;
use crate::engine::threads::context::ThreadContext;
use aralez_decision::Context;
use aralez_decision::additions::Additions;
use aralez_decision::answer::Answer;
use aralez_decision::ask::{Pause, Reply};
use aralez_decision::client::ClientFacts;
use aralez_decision::decide::{self, Decision};
use aralez_decision::pseudonym::Pseudonym;
use aralez_decision::rejection::Rejection;
use aralez_decision::state::LimitKey;
use aralez_decision::table::CompiledRoute;
use aralez_decision::trace::NewIds;
use asking::OpenDecision;
use asking_server::Denial;
use endpoint_side::EndpointSide;
use request_state::RequestState;
use serving_files::FileRequest;

mod answering;
mod asking;
mod asking_server;
pub mod client_side;
mod connecting;
pub mod duplex;
pub mod endpoint_side;
pub mod facts;
mod forwarding;
mod request_state;
mod serving_files;
#[cfg(test)]
mod tests;

/// One exchange.
#[derive(Debug)]
pub struct Exchange<'a, C: ClientSide> {
    client: &'a mut C,
    worker: &'a ThreadContext,
    timer: &'a mut Timer,
    side: &'a mut EndpointSide,
    additions: &'a mut Additions,
    /// Approximate time at which its task was woken last.
    now: Instant,
    outcome: &'a mut Outcome,
    /// The role of the listener that accepted the client.
    role: ListenerRole,
    /// The ids of the request if it brought none.
    ids: NewIds,
    /// Where a response with a status of 400 to 499 counts. `None` if the route does not limit them.
    error_key: Option<LimitKey>,
    /// The response of an authorization server that does not pass the request. Its head is in `side`.
    denial: Option<Box<Denial>>,
    /// Bytes sent to the client before this exchange.
    sent_before: u64,
}

/// The parts of an exchange besides its client.
#[derive(Debug)]
pub struct ExchangeParts<'a> {
    /// The state of the thread.
    pub worker: &'a ThreadContext,
    /// The timer of the task.
    pub timer: &'a mut Timer,
    /// The endpoint's side of the buffers.
    pub side: &'a mut EndpointSide,
    /// The fields to add to the request and its response.
    pub additions: &'a mut Additions,
    /// The role of the listener that accepted the client.
    pub role: ListenerRole,
    /// The current time.
    pub now: Instant,
}

/// The action for a request.
enum Plan {
    Forward(Upstream),
    Serve(Box<FileRequest>),
    Answer(Answer, Option<Arc<CompiledRoute>>),
    /// Relay the response of an authorization server, to which the response edits of the route apply.
    Deny(Box<Denial>, Option<Arc<CompiledRoute>>),
}

/// The reason why there is no plan yet.
enum NoPlan {
    /// The request is answered with the error of a rejection, to which the response edits of the route apply.
    Rejected(Rejection, Option<Arc<CompiledRoute>>),
    /// A policy asks.
    Asks(Box<OpenDecision>),
}

impl<'a, C: ClientSide> Exchange<'a, C> {
    /// Begins an exchange with a request whose head has arrived. The result is collected in `outcome`, which must be new.
    pub fn begin(client: &'a mut C, parts: ExchangeParts<'a>, outcome: &'a mut Outcome) -> Self {
        let ExchangeParts {
            worker,
            timer,
            side,
            additions,
            role,
            now,
        } = parts;
        side.begin();
        additions.clear();
        Self {
            outcome,
            role,
            ids: worker.ids.next(),
            error_key: None,
            denial: None,
            sent_before: client.sent(),
            client,
            worker,
            timer,
            side,
            additions,
            now,
        }
    }

    /// Serves the request.
    ///
    /// Returns a block instead of being an `async fn`, whose future would store the exchange and the plan twice.
    pub fn run(mut self) -> impl Future<Output = ()> {
        self.worker.budget.earn();
        let decided = self.decide();
        async move {
            let conclusion = match decided {
                Ok(plan) => self.carry_out(plan).await,
                // In a box, so that requests without a question do not pay for it.
                Err(open) => Box::pin(self.settle(&open)).await,
            };
            self.finish(conclusion);
        }
    }

    async fn carry_out(&mut self, plan: Plan) -> Conclusion {
        match plan {
            Plan::Forward(upstream) => self.forward(&upstream).await,
            // In boxes, so that other requests do not pay for them.
            Plan::Serve(wanted) => Box::pin(self.serve(&wanted)).await,
            Plan::Answer(answer, route) => self.answer(&answer, route.as_deref(), None).await,
            Plan::Deny(denial, route) => Box::pin(self.relay(*denial, route.as_deref())).await,
        }
    }

    /// Answers a request whose head was refused.
    pub async fn refuse(mut self, refusal: RequestRefusal) {
        self.outcome.reason = Some(Reason::Unreadable(refusal));
        let answer = Answer::of(refusal.status());
        let conclusion = self.answer(&answer, None, None).await;
        self.finish(conclusion);
    }

    /// Answers 503 to a request for which no file descriptor is left.
    pub async fn turn_away(mut self) {
        self.worker.budget.earn();
        let conclusion = self.answer(&Answer::of(503), None, None).await;
        self.finish(conclusion);
    }

    /// Asks the core for the decision. A single table is used for the whole request.
    fn decide(&mut self) -> Result<Plan, Box<OpenDecision>> {
        let examined = self.examine();
        self.noted(examined)
    }

    /// Turns a rejection into its answer, and notes the reason.
    fn noted(&mut self, examined: Result<Plan, NoPlan>) -> Result<Plan, Box<OpenDecision>> {
        examined.or_else(|none| match none {
            NoPlan::Rejected(rejection, route) => {
                self.outcome.reason = Some(Reason::Rejected(rejection));
                Ok(match self.denial.take() {
                    Some(denial) if rejection == Rejection::Denied => Plan::Deny(denial, route),
                    _ => Plan::Answer(rejection.answer(), route),
                })
            }
            NoPlan::Asks(open) => Err(open),
        })
    }

    fn examine(&mut self) -> Result<Plan, NoPlan> {
        if let Some(server) = self.file_server() {
            return self.examine_in(&server.live, None);
        }
        let live = self.worker.engine.live.load();
        if live.origin == Origin::None {
            return Err(NoPlan::Rejected(Rejection::NotLoaded, None));
        }
        self.examine_in(&live, None)
    }

    /// Asks for a decision in a table: the first part, or the one that follows on a reply.
    fn examine_in(
        &mut self,
        live: &Arc<LiveTable>,
        resumed: Option<(Pause, Reply)>,
    ) -> Result<Plan, NoPlan> {
        let request = self.client.request();
        let routes = live.table.routes();
        let client = ClientFacts::of(routes.trusted_proxies(), &request);
        let request = request.of(client.client);
        let context = Context {
            node: self.name(),
            ids: &self.ids,
            tls_port: self.worker.engine.tls_port,
        };
        let (state, additions) = (self.state(), &mut *self.additions);
        let decision = match resumed {
            None => decide::decide(routes, &context, &request, &state, additions),
            Some((pause, reply)) => {
                let resumed = (additions, pause, reply);
                decide::resume(routes, &context, &request, &state, resumed)
            }
        };
        self.error_key = decision.error_key(client.client.address);
        plan_of(decision, live, client)
    }

    /// Returns the file server, if the connection is for it.
    fn file_server(&self) -> Option<&'a FileServer> {
        match self.role {
            ListenerRole::Routes => None,
            ListenerRole::FileServer => self.worker.engine.file_server.as_ref(),
        }
    }

    /// Returns the name under which requests have passed here.
    fn name(&self) -> &'a Pseudonym {
        self.file_server()
            .map_or(&self.worker.engine.node, |server| &server.name)
    }

    const fn state(&self) -> RequestState<'a> {
        RequestState {
            worker: self.worker,
            now: self.now,
        }
    }

    /// Ends the exchange. The drop counts it.
    fn finish(mut self, conclusion: Conclusion) {
        self.outcome.conclusion = conclusion;
        self.outcome.ended = self.now;
        self.sum_up();
    }

    /// Completes the outcome with the facts that are known only at the end.
    fn sum_up(&mut self) {
        let outcome = &mut *self.outcome;
        if outcome.status == 0 && self.side.is_answered(self.client) {
            outcome.status = self.side.progress.status;
        }
        if outcome.tries > 0 {
            outcome.received = self.side.up.data();
        }
        outcome.sent = self.client.sent() - self.sent_before;
    }
}

/// Returns the plan of a decision.
fn plan_of(
    decision: Decision<'_>,
    live: &Arc<LiveTable>,
    client: ClientFacts,
) -> Result<Plan, NoPlan> {
    match decision {
        Decision::Forward(forward) => {
            let route = Arc::clone(forward.route);
            match live.table.serving_pool(forward.pool) {
                Ok(pool) => Ok(Plan::Forward(Upstream {
                    route,
                    pool: Arc::clone(pool),
                    target: forward.path_and_query,
                    client,
                })),
                Err(rejection) => Err(NoPlan::Rejected(rejection, Some(route))),
            }
        }
        Decision::Serve(serve) => Ok(Plan::Serve(Box::new(FileRequest::of(serve)))),
        Decision::Answer { answer, route } => Ok(Plan::Answer(answer, route.map(Arc::clone))),
        Decision::Reject { rejection, route } => {
            Err(NoPlan::Rejected(rejection, route.map(Arc::clone)))
        }
        Decision::Ask { ask, pause } => Err(NoPlan::Asks(Box::new(OpenDecision {
            ask,
            pause,
            live: Arc::clone(live),
            client,
        }))),
    }
}

impl<C: ClientSide> Drop for Exchange<'_, C> {
    fn drop(&mut self) {
        if self.outcome.conclusion == Conclusion::Aborted {
            self.outcome.ended = Instant::now();
            self.sum_up();
        }
        self.worker.tally.finish(self.outcome);
        if let Some(key) = &self.error_key
            && self.outcome.is_client_error()
        {
            self.worker.engine.limiter.count_error(key);
        }
    }
}
