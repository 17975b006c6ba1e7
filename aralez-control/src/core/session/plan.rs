//! Plans the next update of a node.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::snapshot::SharedSnapshot;
use aralez_proto::version::Version;

use super::{Action, Base, InFlight, Refusal, Session, Update};

/// The next update.
enum Next {
    /// None: the node runs what it should.
    Nothing,
    /// The newest view.
    Newest,
    /// Only its endpoints.
    Endpoints,
}

impl Session {
    /// Sends the newest content for this node, unless an update or a question is outstanding.
    pub(super) fn advance(&mut self, now: Instant) -> Vec<Action> {
        if self.in_flight.is_some() || self.question.is_some() {
            return Vec::new();
        }
        match self.next() {
            Next::Nothing => {
                self.forget_derived();
                self.recall()
            }
            Next::Newest => {
                self.forget_derived();
                self.give(Arc::clone(self.recent.newest()), now)
            }
            Next::Endpoints => self.derive(now),
        }
    }

    /// Sends `to`, by the cheapest means for what the node holds.
    pub(super) fn give(&mut self, to: SharedSnapshot, now: Instant) -> Vec<Action> {
        match &self.base {
            _ if self.whole => self.send(Base::Nothing, to, now),
            Some(base) => self.send(Base::Snapshot(Arc::clone(base)), to, now),
            None if self.running.is_some() && self.asks => self.ask(to, now),
            None => self.send(Base::Nothing, to, now),
        }
    }

    pub(super) fn send(&mut self, from: Base, to: SharedSnapshot, now: Instant) -> Vec<Action> {
        self.updates += 1;
        self.whole = false;
        let id = self.updates;
        self.in_flight = Some(InFlight {
            id,
            to: Arc::clone(&to),
            complete: matches!(from, Base::Nothing),
            since: now,
            progress: now,
        });
        vec![Action::Send(Update { id, from, to })]
    }

    /// Returns the refusal that keeps this node from the newest view.
    pub(super) fn refused(&self) -> Option<&Refusal> {
        let newest = self.recent.newest();
        if self
            .running
            .is_some_and(|running| running.root == newest.version().root)
        {
            return None;
        }
        self.refusals.blocking_newest(&self.recent, &self.limits)
    }

    /// Returns the version that heartbeats announce as expected. A node that refuses the newest content is expected to run what it runs.
    pub(super) fn expected(&self) -> Option<Version> {
        match (&self.in_flight, self.refused()) {
            (Some(update), _) => Some(update.to.version()),
            (None, Some(_)) => self.running,
            (None, None) if self.recent.newest().version().revision == 0 => self.running,
            (None, None) => Some(self.recent.newest().version()),
        }
    }

    fn next(&self) -> Next {
        let newest = self.recent.newest();
        if newest.version().revision == 0 {
            // Before the first commit there is nothing to send.
            return Next::Nothing;
        }
        if let Some(running) = self.running {
            let order = running.order(&newest.version());
            let same_root = running.root == newest.version().root;
            if order.is_gt() || (order.is_eq() && same_root) {
                return Next::Nothing;
            }
        }
        match self.refused() {
            Some(_) => Next::Endpoints,
            None => Next::Newest,
        }
    }

    /// Reports whether the node follows only the endpoints of the newest view.
    pub(super) fn follows_endpoints(&self) -> bool {
        matches!(self.next(), Next::Endpoints)
    }
}
