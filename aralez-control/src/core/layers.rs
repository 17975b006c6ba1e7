//! The three layers of state, each with its own lifecycle.
//!
//! The layers never mix: a rollback of documents does not touch a certificate or an endpoint, and changes of endpoints make no revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use aralez_proto::document::Authored;
use aralez_proto::model::{Endpoint, EndpointAddress, EndpointState, PoolName};
use aralez_proto::record::{Change, Delta, Record, RecordKey};

/// The inputs from which the effective snapshot is merged.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The content of the documents.
    pub authored: Arc<Authored>,
    /// Records that control keeps for the fleet.
    pub operational: Operational,
    /// Endpoints that sources found.
    pub discovered: Discovered,
}

/// Records that control keeps for the fleet, durable and never rolled back. Each is a complete record under a key that no document and no
/// source uses. Nothing fills this layer in this release.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Operational {
    counter: u64,
    records: BTreeMap<RecordKey, Record>,
}

impl Operational {
    /// Creates the layer from its stored form.
    pub fn stored(counter: u64, records: impl IntoIterator<Item = Record>) -> Self {
        let records = records.into_iter();
        Self {
            counter,
            records: records.map(|record| (record.key.clone(), record)).collect(),
        }
    }

    /// Returns the number of changes so far; it never decreases and is never reused.
    pub const fn counter(&self) -> u64 {
        self.counter
    }

    /// Returns all records, ordered by key.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Returns the layer after these changes, under the next counter; `None` if they change nothing.
    #[must_use]
    pub fn after(&self, changes: &[Change]) -> Option<Self> {
        let mut records = self.records.clone();
        for change in changes {
            match change {
                Change::Put(record) => records.insert(record.key.clone(), record.clone()),
                Change::Delete(key) => records.remove(key),
            };
        }
        let counter = self.counter + 1;
        (records != self.records).then_some(Self { counter, records })
    }

    /// Returns the delta from this layer to `next`.
    pub fn changes_to(&self, next: &Self) -> Delta {
        let gone = self.records.keys();
        let gone = gone.filter(|key| !next.records.contains_key(key));
        let put = next.records();
        let put = put.filter(|record| self.records.get(&record.key) != Some(record));
        gone.cloned()
            .map(Change::Delete)
            .chain(put.cloned().map(Change::Put))
            .collect()
    }
}

/// The endpoints of one pool, by address.
pub type Endpoints = BTreeMap<EndpointAddress, Endpoint>;

/// Discovered endpoints by pool. Unknown is not empty: a pool whose source never answered has no entry, and a pool whose source fails or
/// answers with no endpoints keeps its previous ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Discovered {
    pools: BTreeMap<PoolName, Arc<Endpoints>>,
}

/// Urgency of publishing a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// Requests would otherwise go to an endpoint that is gone or drains.
    AtOnce,
    /// There are additional endpoints, or other weights.
    CanWait,
}

impl Discovered {
    /// Returns the last known endpoints; `None` if none were ever known.
    pub fn endpoints(&self, pool: &PoolName) -> Option<&Arc<Endpoints>> {
        self.pools.get(pool)
    }

    /// Returns all known pools, by name.
    pub fn pools(&self) -> impl Iterator<Item = (&PoolName, &Arc<Endpoints>)> {
        self.pools.iter()
    }

    /// Replaces a pool's endpoints by all those that a source found. Returns `None` if nothing changed.
    pub fn answered(&mut self, pool: &PoolName, endpoints: Vec<Endpoint>) -> Option<Urgency> {
        // Only documents may name a Unix socket on the proxies' machines: a source cannot know what listens there.
        let by_address = endpoints
            .into_iter()
            .filter(|endpoint| endpoint.address.tcp().is_some())
            .map(|endpoint| (endpoint.address.clone(), endpoint));
        let endpoints: Endpoints = by_address.collect();
        // An empty answer never removes known endpoints.
        if endpoints.is_empty() {
            return None;
        }
        let urgency = match self.pools.get(pool) {
            Some(known) if **known == endpoints => return None,
            Some(known) => urgency(known, &endpoints),
            None => Urgency::CanWait,
        };
        self.pools.insert(pool.clone(), Arc::new(endpoints));
        Some(urgency)
    }

    /// Sets a pool's endpoints (`None` makes them unknown) and returns the previous ones.
    pub fn set(
        &mut self,
        pool: &PoolName,
        endpoints: Option<Arc<Endpoints>>,
    ) -> Option<Arc<Endpoints>> {
        match endpoints {
            Some(endpoints) => self.pools.insert(pool.clone(), endpoints),
            None => self.pools.remove(pool),
        }
    }
}

fn urgency(before: &Endpoints, after: &Endpoints) -> Urgency {
    let takes = |endpoint: &Endpoint| endpoint.state == EndpointState::Ready;
    let lost = |known: &Endpoint| takes(known) && !after.get(&known.address).is_some_and(takes);
    match before.values().any(lost) {
        true => Urgency::AtOnce,
        false => Urgency::CanWait,
    }
}
