//! The endpoints of the newest view for a node that refuses the rest of it.
//!
//! Making that costs what the two views differ in, and a fleet that refuses a push needs the same for every node. So a session only says what it
//! needs, by a key that is equal for equal needs, and is told what came of it; whoever drives it makes it once, elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::hash::Digest;
use aralez_proto::model::PoolName;
use aralez_proto::record::{Change, RecordKey, ResourceType};
use aralez_proto::snapshot::{Limits, SharedSnapshot, Snapshot};
use aralez_proto::version::Version;

use super::refusals::Refusals;
use super::{Action, Refusal, Session};

/// What a node runs, or else the view of its revision, with the endpoints of the newest view where nothing refused is needed for that: what
/// it takes to make it.
#[derive(Clone, Debug)]
pub struct Derivation {
    key: Digest,
    base: SharedSnapshot,
    newest: SharedSnapshot,
    running: Version,
    refusals: Refusals,
    limits: Limits,
}

impl Derivation {
    fn new(
        base: SharedSnapshot,
        newest: SharedSnapshot,
        running: Version,
        (refusals, limits): (Refusals, Limits),
    ) -> Self {
        let limits_of = [
            limits.max_snapshot_bytes,
            limits.max_hosts,
            limits.max_endpoints,
        ];
        // The sequence becomes that of the newest. No limit is as good as the highest.
        let numbers = [
            running.generation,
            running.revision,
            newest.version().sequence,
        ];
        let numbers = numbers
            .into_iter()
            .chain(limits_of.map(|limit| limit.unwrap_or(u64::MAX)));
        let numbers: Vec<u8> = numbers.flat_map(u64::to_le_bytes).collect();
        let roots = [
            base.version().root,
            newest.version().root,
            running.root,
            refusals.mark(),
        ];
        let mut fields: Vec<&[u8]> = vec![&numbers];
        fields.extend(roots.iter().map(|root| root.as_bytes().as_slice()));
        Self {
            key: Digest::of_fields(&fields),
            base,
            newest,
            running,
            refusals,
            limits,
        }
    }

    /// Equal keys come to the same.
    pub const fn key(&self) -> Digest {
        self.key
    }

    /// Makes it, at the cost of what the views differ in. It keeps the node's revision, for its configuration is of that one. `None`: there
    /// is nothing to give.
    pub fn derive(&self) -> Option<SharedSnapshot> {
        let (base, newest) = (&self.base, &self.newest);
        let faulted: BTreeSet<&RecordKey> =
            self.refusals.iter().flat_map(Refusal::faulted).collect();
        let delta: Vec<Change> = base
            .records()
            .delta_to(newest.records())
            .into_iter()
            .filter(|change| is_endpoint_of_both(change.key(), base, newest))
            .filter(|change| !matches!(change, Change::Put(put) if faulted.contains(&put.key)))
            .collect();
        self.after(&delta).or_else(|| {
            // New endpoints may be beyond the node's limits; removals and weights never are.
            let known = |change: &Change| base.records().get(change.key()).is_some();
            let fewer: Vec<Change> = delta
                .iter()
                .filter(|&change| known(change))
                .cloned()
                .collect();
            // Without any such the same would come of it.
            (fewer.len() < delta.len()).then(|| self.after(&fewer))?
        })
    }

    fn after(&self, delta: &[Change]) -> Option<SharedSnapshot> {
        let root = self.base.records().with(delta).root();
        if root == self.running.root {
            return None;
        }
        let version = Version {
            root,
            sequence: self.newest.version().sequence,
            ..self.running
        };
        let (derived, _) = self.base.next(version, delta, &self.limits).ok()?;
        (!self.refusals.blocks(&derived, &self.limits)).then(|| Arc::new(derived))
    }
}

/// Whether a record is an endpoint whose pool exists on both sides. Endpoints that go along with their pool go because of the configuration,
/// which this node does not take.
fn is_endpoint_of_both(key: &RecordKey, base: &Snapshot, newest: &Snapshot) -> bool {
    let pool = match key.kind {
        ResourceType::Endpoint => key.name.split_once(' '),
        _ => None,
    };
    let exists = |pool: &PoolName| {
        let has = |snapshot: &Snapshot| snapshot.resources().pools().get(pool).is_some();
        has(base) && has(newest)
    };
    pool.and_then(|(pool, _)| pool.parse().ok())
        .is_some_and(|pool: PoolName| exists(&pool))
}

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
