//! Sends the endpoints of the newest view to a node that refuses the rest of it.
//!
//! A derivation costs the difference between two views, and a fleet that refuses a push needs the same one for every node. So a session
//! only requests it, by a key that is equal for equal inputs, and receives the result; its driver computes it once, elsewhere.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::SharedSnapshot;

use super::derivation::Derivation;
use super::{Action, Refusal, Session};

/// State of a session's derivation.
#[derive(Debug, Default)]
pub(super) enum Deriving {
    /// None is needed.
    #[default]
    Idle,
    /// Requested; the result is outstanding.
    Asked {
        key: Digest,
        /// The previous result was already outdated when it arrived.
        again: bool,
    },
    /// The result is here.
    Here {
        key: Digest,
        made: Option<SharedSnapshot>,
        /// Root of the newest view that it was derived from.
        newest: Digest,
    },
}

impl Session {
    /// Returns the derivation that this node needs, if one is possible.
    fn derivation(&self) -> Option<Derivation> {
        let newest = self.recent.newest();
        let base = self.base.as_ref().or_else(|| self.own.here())?;
        let forbids = |refusal: &Refusal| refusal.forbids_any_of(newest);
        let running = self
            .running
            .filter(|_| !self.refusals.iter().any(forbids))?;
        let refusals = (self.refusals.clone(), self.limits);
        let (base, newest) = (Arc::clone(base), Arc::clone(newest));
        Some(Derivation::new(base, newest, running, refusals))
    }

    /// Sends the derived snapshot, or requests it. At most one request is outstanding; when its result arrives, `derived` checks
    /// whether it still matches the newest view.
    pub(super) fn derive(&mut self, now: Instant) -> Vec<Action> {
        if matches!(self.deriving, Deriving::Asked { .. }) || self.has_what_was_made() {
            return Vec::new();
        }
        let Some(needed) = self.derivation() else {
            self.forget_derived();
            return self.recall();
        };
        match &self.deriving {
            Deriving::Here { key, made, .. } if *key == needed.key() => match made.clone() {
                Some(made) => self.give(made, now),
                None => Vec::new(),
            },
            _ => self.have_made(needed, false),
        }
    }

    /// Reports whether the node runs the derivation of the newest view: then there is nothing left to send.
    fn has_what_was_made(&self) -> bool {
        match (&self.deriving, self.running) {
            (
                Deriving::Here {
                    made: Some(made),
                    newest,
                    ..
                },
                Some(running),
            ) => {
                running.root == made.version().root
                    && *newest == self.recent.newest().version().root
            }
            _ => false,
        }
    }

    fn have_made(&mut self, needed: Derivation, again: bool) -> Vec<Action> {
        let key = needed.key();
        self.deriving = Deriving::Asked { key, again };
        vec![Action::Derive(needed)]
    }

    /// Drops an outstanding request, and the derived snapshot.
    pub(super) fn forget_derived(&mut self) {
        self.deriving = Deriving::Idle;
    }

    /// Handles the result of a derivation.
    pub(super) fn derived(
        &mut self,
        key: Digest,
        made: Option<SharedSnapshot>,
        now: Instant,
    ) -> Vec<Action> {
        let again = match &self.deriving {
            Deriving::Asked { key: asked, again } if *asked == key => *again,
            _ => return Vec::new(),
        };
        self.forget_derived();
        let needed = self.derivation().filter(|_| self.follows_endpoints());
        let Some(needed) = needed.filter(|needed| needed.key() != key) else {
            let newest = self.recent.newest().version().root;
            self.deriving = Deriving::Here { key, made, newest };
            return self.advance(now);
        };
        // A newer view arrived meanwhile. If views arrive faster than derivations complete, every result is outdated. The second outdated
        // one in a row is sent anyway: it is a valid step from what the node runs, and without it no update would ever reach the node.
        match made.filter(|_| again) {
            Some(late) => self.give(late, now),
            None => self.have_made(needed, true),
        }
    }
}
