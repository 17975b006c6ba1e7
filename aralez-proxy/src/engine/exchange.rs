//! An exchange: one request and its response, from the decision to its end, independent of the client's protocol.
//!
//! It asks for a decision ([`aralez_decision::decide`]), and then either answers, or chooses an endpoint, writes the request head,
//! connects, and moves bytes in both directions ([`duplex`]), with a retry if that is safe. The client is a [`ClientSide`]. The result is
//! collected in one [`Outcome`], which is counted when the exchange is dropped. So every exchange is counted once, whether it was concluded
//! or cancelled.

use std::sync::Arc;
use std::time::Instant;

use crate::core::live::Origin;
use crate::core::request::http1::RequestRefusal;
use crate::core::request::outcome::{Conclusion, Outcome, Reason};
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::exchange::facts::Upstream;
use crate::engine::io::timer::Timer;
use crate::engine::threads::context::ThreadContext;
use aralez_decision::Context;
use aralez_decision::additions::Additions;
use aralez_decision::answer::Answer;
use aralez_decision::client::ClientFacts;
use aralez_decision::decide::{self, Decision};
use aralez_decision::rejection::Rejection;
use aralez_decision::state::LimitKey;
use aralez_decision::table::CompiledRoute;
use aralez_decision::trace::NewIds;
use endpoint_side::EndpointSide;

mod answering;
pub mod client_side;
mod connecting;
pub mod duplex;
pub mod endpoint_side;
pub mod facts;
mod forwarding;
#[cfg(test)]
mod tests;

pub use answering::ContentSource;

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
    /// The ids of the request if it brought none.
    ids: NewIds,
    /// Where a response with a status of 400 to 499 counts. `None` if the route does not limit them.
    error_key: Option<LimitKey>,
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
    /// The current time.
    pub now: Instant,
}

/// The action for a request.
enum Plan {
    Forward(Upstream),
    Answer(Answer, Option<Arc<CompiledRoute>>),
}

impl<'a, C: ClientSide> Exchange<'a, C> {
    /// Begins an exchange with a request whose head has arrived. The result is collected in `outcome`, which must be new.
    pub fn begin(client: &'a mut C, parts: ExchangeParts<'a>, outcome: &'a mut Outcome) -> Self {
        let ExchangeParts {
            worker,
            timer,
            side,
            additions,
            now,
        } = parts;
        side.begin();
        additions.clear();
        Self {
            outcome,
            ids: worker.ids.next(),
            error_key: None,
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
        let plan = self.decide();
        async move {
            let conclusion = match &plan {
                Plan::Forward(upstream) => self.forward(upstream).await,
                Plan::Answer(answer, route) => self.answer(answer, route.as_deref(), None).await,
            };
            self.finish(conclusion);
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
    fn decide(&mut self) -> Plan {
        self.examine().unwrap_or_else(|(rejection, route)| {
            self.outcome.reason = Some(Reason::Rejected(rejection));
            Plan::Answer(rejection.answer(), route)
        })
    }

    /// A rejection comes with the route whose policies decided it.
    fn examine(&mut self) -> Result<Plan, (Rejection, Option<Arc<CompiledRoute>>)> {
        let engine = &self.worker.engine;
        let live = engine.live.load();
        if live.origin == Origin::None {
            return Err((Rejection::NotLoaded, None));
        }
        let table = &live.table;
        let request = self.client.request();
        let client = ClientFacts::of(table.routes().trusted_proxies(), &request);
        let request = request.of(client.client);
        let context = Context {
            node: &engine.node,
            ids: &self.ids,
            tls_port: engine.tls_port,
        };
        let state = &*engine.limiter;
        let decision = decide::decide(table.routes(), &context, &request, state, self.additions);
        self.error_key = decision
            .route()
            .and_then(|route| route.error_key(request.client));
        match decision {
            Decision::Forward(forward) => match table.serving_pool(forward.pool) {
                Ok(pool) => Ok(Plan::Forward(Upstream {
                    route: Arc::clone(forward.route),
                    pool: Arc::clone(pool),
                    target: forward.path_and_query,
                    client,
                })),
                Err(rejection) => Err((rejection, Some(Arc::clone(forward.route)))),
            },
            Decision::Answer { answer, route } => Ok(Plan::Answer(answer, route.map(Arc::clone))),
            Decision::Reject { rejection, route } => Err((rejection, route.map(Arc::clone))),
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
