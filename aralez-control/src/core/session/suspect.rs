//! The one more try of a content that is suspect on a node: asked for once the node has served well for a while, and given by whoever sees all nodes
//! of the group ([`crate::core::tries`]).

use std::time::{Duration, Instant};

use aralez_proto::content::Content;
use aralez_proto::hash::Digest;

use super::{Action, Session};

/// How long a node that may not try yet waits until it asks again.
const ASK_AGAIN: Duration = Duration::from_secs(30);

impl Session {
    /// The authored root that keeps this node from the newest view because it is suspect there.
    fn suspect(&self) -> Option<Digest> {
        let newest = self.recent.newest().version().authored_root;
        let refusal = self.refused()?;
        let newest = Some(newest).filter(|newest| refusal.content() == Content::Authored(*newest));
        newest.filter(|_| refusal.is_suspect())
    }

    /// When this node may ask for a try, where it has a reason to.
    pub(super) fn asks_at(&self) -> Option<Instant> {
        let free = self.in_flight.is_none() && self.question.is_none();
        (free && self.suspect().is_some()).then_some(self.next_ask)
    }

    /// Asks for a try, where it is time.
    pub(super) fn ask_to_try(&mut self, now: Instant) -> Option<Action> {
        let due = self.asks_at().is_some_and(|at| now >= at);
        let root = self.suspect().filter(|_| due)?;
        self.next_ask = now + ASK_AGAIN.min(self.pace.retry_suspects);
        Some(Action::AskToTry(root))
    }

    /// This node is the one that tries.
    pub(super) fn granted(&mut self, root: Digest, now: Instant) -> Vec<Action> {
        if self.suspect() != Some(root) {
            return Vec::new();
        }
        self.refusals.forget(Content::Authored(root));
        self.forget_derived();
        self.advance(now)
    }
}
