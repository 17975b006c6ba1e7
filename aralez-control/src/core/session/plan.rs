//! What a node is to be given next.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::snapshot::SharedSnapshot;
use aralez_proto::version::Version;

use super::{Action, Base, InFlight, Refusal, Session, Update};

/// What is next.
enum Next {
    /// Nothing: the node is where it should be.
    Nothing,
    /// The newest view.
    Newest,
    /// Its endpoints alone.
    Endpoints,
}

impl Session {
    /// Sends what is newest for this node, where nothing is in flight.
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

    /// Sends this, from wherever the node is.
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

    /// Why the newest view is not for this node.
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

    /// What a heartbeat tells the node that it should run. A node that is spared refused content is right where it is.
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
            // Before the first commit there is nothing to tell anyone.
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

    /// Whether the node is to have the endpoints of the newest view and no more of it.
    pub(super) fn follows_endpoints(&self) -> bool {
        matches!(self.next(), Next::Endpoints)
    }
}
