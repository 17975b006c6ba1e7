//! Decisions that wait for a reply from outside.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use crate::core::live::LiveTable;
use crate::core::request::outcome::Conclusion;
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::exchange::{Exchange, NoPlan, Plan, context_of, plan_of};
use aralez_decision::ask::{Ask, Pause, Reply};
use aralez_decision::client::ClientFacts;
use aralez_decision::decide;

/// A question, and what is needed to resume the decision.
pub(super) struct OpenDecision {
    pub(super) ask: Ask,
    pub(super) pause: Pause,
    /// The table that the decision began with.
    pub(super) live: Arc<LiveTable>,
}

impl<C: ClientSide> Exchange<'_, C> {
    /// Gets replies to the questions of a decision until there is a plan, and carries it out. The head of the request stays in its buffer
    /// meanwhile.
    pub(super) async fn settle(&mut self, first: &OpenDecision) -> Conclusion {
        let Some(reply) = self.reply(first.ask.clone()).await else {
            return Conclusion::ClientGone;
        };
        let mut decided = self.resume(&first.live, (first.pause, reply));
        loop {
            let open = match decided {
                Ok(plan) => return self.carry_out(&plan).await,
                Err(open) => open,
            };
            let Some(reply) = self.reply(open.ask).await else {
                return Conclusion::ClientGone;
            };
            decided = self.resume(&open.live, (open.pause, reply));
        }
    }

    /// Waits for a reply. `None` if the client goes first.
    async fn reply(&mut self, ask: Ask) -> Option<Reply> {
        let Ask::Password(check) = ask;
        let mut computed = pin!(self.worker.engine.password_checks.compute(check));
        poll_fn(|cx| {
            if let Poll::Ready(reply) = computed.as_mut().poll(cx) {
                return Poll::Ready(Some(reply));
            }
            self.client.poll_gone(cx, Instant::now()).map(|()| None)
        })
        .await
    }

    fn resume(
        &mut self,
        live: &Arc<LiveTable>,
        (pause, reply): (Pause, Reply),
    ) -> Result<Plan, Box<OpenDecision>> {
        self.now = Instant::now();
        let examined = self.examine_again(live, (pause, reply));
        self.noted(examined)
    }

    fn examine_again(
        &mut self,
        live: &Arc<LiveTable>,
        (pause, reply): (Pause, Reply),
    ) -> Result<Plan, NoPlan> {
        let routes = live.table.routes();
        let request = self.client.request();
        let client = ClientFacts::of(routes.trusted_proxies(), &request);
        let request = request.of(client.client);
        let context = context_of(self.worker, &self.ids);
        let state = self.state();
        let resumed = (&mut *self.additions, pause, reply);
        let decision = decide::resume(routes, &context, &request, &state, resumed);
        self.error_key = decision.error_key(client.client.address);
        plan_of(decision, live, client)
    }
}
