//! Choosing an endpoint.

use std::sync::Arc;

use aralez_proto::model::{Endpoint, EndpointAddress, EndpointState, PoolName};

use crate::core::registry::{Load, PoolState, Registry};

mod order;
#[cfg(test)]
mod tests;

/// A pool, ready to be chosen from.
#[derive(Debug)]
pub struct CompiledPool {
    name: PoolName,
    state: Arc<PoolState>,
    /// All endpoints, draining ones too: ascending by tier, then address.
    endpoints: Box<[CompiledEndpoint]>,
    /// The first tier that has a ready endpoint. Most pools have no other, and among many of them each look elsewhere is waited for.
    first: Option<Tier>,
    /// Those after it, ascending; a tier without a ready endpoint is not there.
    later: Box<[Tier]>,
}

/// An endpoint with its state that outlives tables.
#[derive(Clone, Debug)]
pub struct CompiledEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What it carries.
    pub load: Arc<Load>,
}

/// The ready endpoints of one tier as a round: each stands in it as often as its weight says, evenly spread.
#[derive(Debug)]
enum Tier {
    /// All are ready and of one weight: those from `first` on, `count` of them, which is not 0.
    Even { first: usize, count: usize },
    /// The endpoints by their places; never empty.
    Weighted(Box<[u32]>),
}

/// The endpoints that a request was sent to already.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tried(Vec<EndpointAddress>);

impl Tried {
    /// None yet. Does not allocate.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// This one was tried.
    pub fn add(&mut self, address: EndpointAddress) {
        self.0.push(address);
    }

    /// Whether it was tried.
    pub fn contains(&self, address: EndpointAddress) -> bool {
        self.0.contains(&address)
    }

    /// How many were tried.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl CompiledPool {
    /// Compiles a pool. Its position and its endpoints' loads are those of the pool's name.
    pub fn new(name: &PoolName, endpoints: &[Endpoint], registry: &Registry) -> Self {
        let mut endpoints = endpoints.to_vec();
        endpoints.sort_by_key(|endpoint| (endpoint.tier, endpoint.address));
        let state = registry.pool(name);
        let loads = state.loads(endpoints.iter().map(|endpoint| endpoint.address));
        let mut tiers = tiers(&endpoints);
        Self {
            name: name.clone(),
            state,
            first: tiers.next(),
            later: tiers.collect(),
            endpoints: endpoints
                .into_iter()
                .zip(loads)
                .map(|(endpoint, load)| CompiledEndpoint { endpoint, load })
                .collect(),
        }
    }

    /// The pool's name.
    pub const fn name(&self) -> &PoolName {
        &self.name
    }

    /// All endpoints, draining ones too, ascending by tier, then address.
    pub fn endpoints(&self) -> &[CompiledEndpoint] {
        &self.endpoints
    }

    /// Whether no endpoint takes requests.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The endpoint whose turn it is, of the first tier that has one which was not tried. `None`: there is no other left.
    ///
    /// Takes no lock and does not allocate. A request takes one turn, however often it is tried again.
    pub fn choose(&self, tried: &Tried) -> Option<&CompiledEndpoint> {
        let turn = if tried.is_empty() {
            self.state.take_turn()
        } else {
            self.state.next_turn()
        };
        self.first.iter().chain(&self.later).find_map(|tier| {
            let mut round = tier.from(turn).map(|at| &self.endpoints[at]);
            round.find(|found| !tried.contains(found.endpoint.address))
        })
    }
}

impl Tier {
    /// The round of some endpoints of one tier, of which the first stands at `first`. `None`: none is ready.
    fn new(first: usize, endpoints: &[Endpoint]) -> Option<Self> {
        let ready = |endpoint: &Endpoint| endpoint.state == EndpointState::Ready;
        let weight = endpoints.first()?.weight;
        let even = |endpoint: &Endpoint| ready(endpoint) && endpoint.weight == weight;
        if endpoints.iter().all(even) {
            let count = endpoints.len();
            return Some(Self::Even { first, count });
        }
        // Fewer than 2^32: every one of them is a record of a snapshot of bounded size.
        let weighted = (first as u32..).zip(endpoints);
        let weighted = weighted.filter(|(_, endpoint)| ready(endpoint));
        let weighted: Vec<_> = weighted
            .map(|(at, endpoint)| (at, endpoint.weight))
            .collect();
        (!weighted.is_empty()).then(|| Self::Weighted(order::round(&weighted)))
    }

    /// One round, beginning with the place of a turn.
    fn from(&self, turn: u64) -> impl Iterator<Item = usize> {
        let places = match self {
            Self::Even { count, .. } => *count,
            Self::Weighted(places) => places.len(),
        };
        let start = (turn % places as u64) as usize;
        (start..places).chain(0..start).map(|place| match self {
            Self::Even { first, .. } => first + place,
            Self::Weighted(places) => places[place] as usize,
        })
    }
}

fn tiers(endpoints: &[Endpoint]) -> impl Iterator<Item = Tier> {
    let mut first = 0;
    let tiers = endpoints.chunk_by(|left, right| left.tier == right.tier);
    tiers.filter_map(move |tier| {
        let at = first;
        first += tier.len();
        Tier::new(at, tier)
    })
}
