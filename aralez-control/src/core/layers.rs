//! The three layers of state, each with a life of its own (design section 5).
//!
//! Files alone feed this release, but the layers do not mix from the first day: a rollback of documents never touches a certificate or an
//! endpoint, and endpoints that come and go never make a revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use aralez_proto::document::Authored;
use aralez_proto::model::{Endpoint, EndpointAddress, EndpointState, PoolName};
use aralez_proto::record::{Change, Delta, Record, RecordKey};

/// All that the effective snapshot is merged from.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// What people wrote.
    pub authored: Arc<Authored>,
    /// What control keeps for the fleet.
    pub operational: Operational,
    /// What sources found.
    pub discovered: Discovered,
}

/// Durable and never rolled back: what control keeps for the fleet, each a finished record under a key that no document and no source has.
/// Nothing fills it in this release.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Operational {
    counter: u64,
    records: BTreeMap<RecordKey, Record>,
}

impl Operational {
    /// The layer as a store has it.
    pub fn stored(counter: u64, records: impl IntoIterator<Item = Record>) -> Self {
        let records = records.into_iter();
        Self {
            counter,
            records: records.map(|record| (record.key.clone(), record)).collect(),
        }
    }

    /// How often it changed; never reused and never less than before.
    pub const fn counter(&self) -> u64 {
        self.counter
    }

    /// All records, by key.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// The layer after these changes, under the next counter; `None` where they change nothing.
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

    /// What turns this layer into another one.
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

/// What sources found: endpoints by pool. Unknown is not empty: a pool whose source never answered is not in here, and one whose source
/// fails or answers nothing keeps what it had.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Discovered {
    pools: BTreeMap<PoolName, Arc<Endpoints>>,
}

/// Whether a change can wait for others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Urgency {
    /// Requests would go where they should not any more: an endpoint is gone, or finishes what it has.
    AtOnce,
    /// There is more to choose from, or other weights.
    CanWait,
}

impl Discovered {
    /// The last known endpoints; `None` where none were ever known.
    pub fn endpoints(&self, pool: &PoolName) -> Option<&Arc<Endpoints>> {
        self.pools.get(pool)
    }

    /// All pools that are known, by name.
    pub fn pools(&self) -> impl Iterator<Item = (&PoolName, &Arc<Endpoints>)> {
        self.pools.iter()
    }

    /// Takes all endpoints that a source found for a pool. `None`: nothing changed.
    pub fn answered(&mut self, pool: &PoolName, endpoints: Vec<Endpoint>) -> Option<Urgency> {
        // Only documents may name a socket on the proxies' machines: a source cannot know what listens there.
        let by_address = endpoints
            .into_iter()
            .filter(|endpoint| endpoint.address.tcp().is_some())
            .map(|endpoint| (endpoint.address.clone(), endpoint));
        let endpoints: Endpoints = by_address.collect();
        // An answer of nothing is bad news, and bad news never removes what is good.
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

    /// Has a pool be like this (`None`: not known), and gives back how it was.
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
