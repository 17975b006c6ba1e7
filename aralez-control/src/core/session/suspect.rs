//! The second try of a content that is suspect on a node. The session requests it once the node has served well for a while;
//! [`crate::core::tries`], which sees all nodes of the group, grants it.

use std::time::{Duration, Instant};

use aralez_proto::content::Content;
use aralez_proto::hash::Digest;

use super::{Action, Session};

/// Delay before a request that was not granted is repeated.
const ASK_AGAIN: Duration = Duration::from_secs(30);

impl Session {
    /// Returns the authored root of the newest view, if the node does not get that view because its content is suspect there.
    fn suspect(&self) -> Option<Digest> {
        let newest = self.recent.newest().version().authored_root;
        let refusal = self.refused()?;
        let newest = Some(newest).filter(|newest| refusal.content() == Content::Authored(*newest));
        newest.filter(|_| refusal.is_suspect())
    }

    /// Returns when this node may request a try, if it has a reason to.
    pub(super) fn asks_at(&self) -> Option<Instant> {
        let free = self.in_flight.is_none() && self.question.is_none();
        (free && self.suspect().is_some()).then_some(self.next_ask)
    }

    /// Requests a try, if one is due.
    pub(super) fn ask_to_try(&mut self, now: Instant) -> Option<Action> {
        let due = self.asks_at().is_some_and(|at| now >= at);
        let root = self.suspect().filter(|_| due)?;
        self.next_ask = now + ASK_AGAIN.min(self.pace.retry_suspects);
        Some(Action::AskToTry(root))
    }

    /// Handles the grant of a try to this node.
    pub(super) fn granted(&mut self, root: Digest, now: Instant) -> Vec<Action> {
        if self.suspect() != Some(root) {
            return Vec::new();
        }
        self.refusals.forget(Content::Authored(root));
        self.forget_derived();
        self.advance(now)
    }
}
