//! The endpoints of the newest view for a node that refuses the rest of it.
//!
//! Making that costs what the two views differ in, and a fleet that refuses a push needs the same for every node. So a session only says what it
//! needs, by a key that is equal for equal needs, and is told what came of it; whoever drives it makes it once, elsewhere.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::SharedSnapshot;

use super::derivation::Derivation;
use super::{Action, Refusal, Session};

/// Where a session is with what it needs made.
#[derive(Debug, Default)]
pub(super) enum Deriving {
    /// It needs nothing.
    #[default]
    Idle,
    /// It asked for this.
    Asked {
        key: Digest,
        /// An answer before was too late to be the newest.
        again: bool,
    },
    /// It was told what came of this.
    Here {
        key: Digest,
        made: Option<SharedSnapshot>,
        /// The newest view that it is of.
        newest: Digest,
    },
}

impl Session {
    /// What this node needs made, where anything can be.
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

    /// Sends what was made, or has it made. One answer is awaited at a time; when it comes it is seen whether the newest is still the same.
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

    /// Whether the node runs what was made of the newest view: then nothing of it is left to give.
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

    /// Nothing is awaited any more, and what was made is not kept in memory.
    pub(super) fn forget_derived(&mut self) {
        self.deriving = Deriving::Idle;
    }

    /// What came of a derivation.
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
        // A newer view came meanwhile. Where views come faster than this is made, what is made is late each time: then it is sent all the
        // same, since it leads on from what the node runs, and nothing would ever reach it otherwise.
        match made.filter(|_| again) {
            Some(late) => self.give(late, now),
            None => self.have_made(needed, true),
        }
    }
}
