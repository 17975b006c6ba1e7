//! Choosing an endpoint.

use std::sync::Arc;

use aralez_proto::model::{Endpoint, EndpointAddress, EndpointState, PoolName};

use crate::core::registry::{Load, Registry, Turn};

mod order;
#[cfg(test)]
mod tests;

/// A pool, ready to be chosen from.
#[derive(Debug)]
pub struct CompiledPool {
    name: PoolName,
    turn: Arc<Turn>,
    /// All endpoints, draining ones too: ascending by tier, then address.
    endpoints: Box<[CompiledEndpoint]>,
    /// Ascending by tier; a tier without a ready endpoint is not there.
    tiers: Box<[Tier]>,
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
struct Tier {
    round: Box<[u32]>,
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
    pub fn new(
        name: &PoolName,
        endpoints: impl IntoIterator<Item = Endpoint>,
        registry: &Registry,
    ) -> Self {
        let mut endpoints: Vec<Endpoint> = endpoints.into_iter().collect();
        endpoints.sort_by_key(|endpoint| (endpoint.tier, endpoint.address));
        let loads = registry.loads(name, endpoints.iter().map(|endpoint| endpoint.address));
        Self {
            name: name.clone(),
            turn: registry.turn(name),
            tiers: tiers(&endpoints),
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
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty()
    }

    /// The endpoint whose turn it is, of the first tier that has one which was not tried. `None`: there is no other left.
    ///
    /// Takes no lock and does not allocate. A request takes one turn, however often it is tried again.
    pub fn choose(&self, tried: &Tried) -> Option<&CompiledEndpoint> {
        let turn = if tried.is_empty() {
            self.turn.take()
        } else {
            self.turn.peek()
        };
        self.tiers.iter().find_map(|tier| {
            let mut round = tier.from(turn).map(|at| &self.endpoints[at]);
            round.find(|found| !tried.contains(found.endpoint.address))
        })
    }
}

impl Tier {
    /// One round, beginning with the place of a turn.
    fn from(&self, turn: u64) -> impl Iterator<Item = usize> {
        let start = (turn % self.round.len() as u64) as usize;
        let (before, after) = self.round.split_at(start);
        after.iter().chain(before).map(|at| *at as usize)
    }
}

fn tiers(endpoints: &[Endpoint]) -> Box<[Tier]> {
    let mut first = 0;
    let mut tiers = Vec::new();
    for tier in endpoints.chunk_by(|left, right| left.tier == right.tier) {
        let ready: Vec<(u32, u16)> = (first..)
            .zip(tier)
            .filter(|(_, endpoint)| endpoint.state == EndpointState::Ready)
            .map(|(at, endpoint)| (at, endpoint.weight))
            .collect();
        if !ready.is_empty() {
            tiers.push(Tier {
                round: order::round(&ready),
            });
        }
        first += tier.len() as u32;
    }
    tiers.into()
}
