//! An exchange: one request and its response, from the decision about it to its end, whatever protocol its client speaks.
//!
//! It decides ([`crate::core::request::decide`]), and answers, or chooses an endpoint, writes the head for it, connects, and moves bytes both ways
//! ([`duplex`]), once more where that does no harm. The client is a [`ClientSide`]. What becomes of the request is gathered in one
//! [`Outcome`], which is counted when the exchange is dropped: that is its one end, whether it came to a conclusion or was cut off.

use std::sync::Arc;
use std::time::Instant;

use crate::core::live::Origin;
use crate::core::request::Context;
use crate::core::request::additions::Additions;
use crate::core::request::answer::Answer;
use crate::core::request::decide::{self, Decision};
use crate::core::request::http1::RequestRefusal;
use crate::core::request::outcome::{Conclusion, Outcome, Reason};
use crate::core::request::rejection::Rejection;
use crate::core::request::table::CompiledRoute;
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::exchange::facts::Upstream;
use crate::engine::io::timer::Timer;
use crate::engine::threads::context::ThreadContext;
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
    /// When its task was woken last, about.
    now: Instant,
    outcome: &'a mut Outcome,
    /// What was sent to the client before it.
    sent_before: u64,
}

/// What an exchange is given beside its client.
#[derive(Debug)]
pub struct ExchangeParts<'a> {
    /// What the thread has for itself.
    pub worker: &'a ThreadContext,
    /// The timer of its task.
    pub timer: &'a mut Timer,
    /// The endpoint's half of its buffers.
    pub side: &'a mut EndpointSide,
    /// What is added to the request and its response.
    pub additions: &'a mut Additions,
    /// Now.
    pub now: Instant,
}

/// What becomes of a request.
enum Plan {
    Forward(Upstream),
    Answer(Answer, Option<Arc<CompiledRoute>>),
}

impl<'a, C: ClientSide> Exchange<'a, C> {
    /// Begins with a request whose head is there. What becomes of it is put into `outcome`, which has just begun.
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
    /// A policy that needs an answer from elsewhere will make the decision return what is to be asked: it is awaited here, and the
    /// decision goes on with the answer. The head of the request stays with the client until an endpoint has a byte of it.
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

    /// Answers a request for which this machine has no room.
    pub async fn turn_away(mut self) {
        self.worker.budget.earn();
        let conclusion = self.answer(&Answer::of(503), None, None).await;
        self.finish(conclusion);
    }

    /// Asks the core what is done. One table decides all of a request.
    fn decide(&mut self) -> Plan {
        self.examine().unwrap_or_else(|rejection| {
            self.outcome.reason = Some(Reason::Rejected(rejection));
            Plan::Answer(Answer::of(rejection.status()), None)
        })
    }

    fn examine(&mut self) -> Result<Plan, Rejection> {
        let engine = &self.worker.engine;
        let live = engine.live.load();
        if live.origin == Origin::None {
            return Err(Rejection::NotLoaded);
        }
        let request = self.client.request();
        let context = Context {
            node: &engine.node,
            tls_port: engine.tls_port,
        };
        match decide::decide(&live.table, &context, &request, self.additions) {
            Decision::Forward(forward) => Ok(Plan::Forward(Upstream {
                route: Arc::clone(forward.route),
                pool: Arc::clone(forward.pool),
                target: forward.path_and_query,
            })),
            Decision::Answer { answer, route } => Ok(Plan::Answer(answer, route.map(Arc::clone))),
            Decision::Reject(rejection) => Err(rejection),
        }
    }

    /// Ends the exchange. Dropping it counts it.
    fn finish(mut self, conclusion: Conclusion) {
        self.outcome.conclusion = conclusion;
        self.outcome.ended = self.now;
        self.sum_up();
    }

    /// What is known only at the end.
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
    }
}
