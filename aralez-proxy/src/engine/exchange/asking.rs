//! Decisions that wait for a reply from outside.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use crate::core::live::LiveTable;
use crate::core::request::outcome::Conclusion;
use crate::engine::exchange::client_side::ClientSide;
use crate::engine::exchange::{Exchange, Plan};
use aralez_decision::ask::{Ask, Pause, Reply};
use aralez_decision::client::ClientFacts;

/// A question, and what is needed to resume the decision.
pub(super) struct OpenDecision {
    pub(super) ask: Ask,
    pub(super) pause: Pause,
    /// The table that the decision began with.
    pub(super) live: Arc<LiveTable>,
    /// The client that the decision is about.
    pub(super) client: ClientFacts,
}

impl<C: ClientSide> Exchange<'_, C> {
    /// Gets replies to the questions of a decision until there is a plan, and carries it out. The head of the request stays in its buffer
    /// meanwhile.
    pub(super) async fn settle(&mut self, first: &OpenDecision) -> Conclusion {
        let mut decided = self.follow_up(first).await;
        loop {
            match decided {
                None => return Conclusion::ClientGone,
                Some(Ok(plan)) => return self.carry_out(plan).await,
                Some(Err(open)) => decided = self.follow_up(&open).await,
            }
        }
    }

    /// Gets the reply to a question and resumes the decision. `None` if the client goes first.
    async fn follow_up(&mut self, open: &OpenDecision) -> Option<Result<Plan, Box<OpenDecision>>> {
        let reply = self.reply(open).await?;
        self.now = Instant::now();
        let examined = self.examine_in(&open.live, Some((open.pause, reply)));
        Some(self.noted(examined))
    }

    /// Waits for a reply. `None` if the client goes first.
    async fn reply(&mut self, open: &OpenDecision) -> Option<Reply> {
        let check = match &open.ask {
            Ask::Password(check) => check.clone(),
            Ask::Server(question) => return self.ask_server(question, open).await,
        };
        let mut computed = pin!(self.worker.engine.password_checks.compute(check));
        poll_fn(|cx| {
            if let Poll::Ready(reply) = computed.as_mut().poll(cx) {
                return Poll::Ready(Some(reply));
            }
            self.client.poll_gone(cx, Instant::now()).map(|()| None)
        })
        .await
    }
}
