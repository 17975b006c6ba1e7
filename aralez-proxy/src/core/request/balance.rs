//! Endpoint selection.

use std::sync::Arc;

use aralez_proto::model::{Balance, Endpoint, EndpointState, Pool, PoolName};

use crate::core::request::peer::PeerKey;
use crate::core::request::registry::{Load, PoolState, Registry};
use crate::core::request::rest::{Access, Probe, Uptime};

mod order;
#[cfg(test)]
mod tests;
mod tier;
mod walk;

use tier::Tier;
pub use walk::Walk;

/// A pool compiled for endpoint selection.
#[derive(Debug)]
pub struct CompiledPool {
    name: PoolName,
    state: Arc<PoolState>,
    /// All endpoints, including draining ones, sorted by tier, then address.
    endpoints: Box<[CompiledEndpoint]>,
    /// The first tier that has a ready endpoint. Kept inline: most pools have one tier, and a pointer chase is a cache miss.
    first: Option<Tier>,
    /// The later tiers that have a ready endpoint, ascending.
    later: Box<[Tier]>,
    /// Number of ready endpoints.
    ready: usize,
}

/// An endpoint, with the state that outlives tables.
#[derive(Clone, Debug)]
pub struct CompiledEndpoint {
    /// The identity of connections to the endpoint.
    pub peer: PeerKey,
    /// Ready or draining: whether the endpoint accepts new requests.
    pub state: EndpointState,
    /// The endpoint's running requests, and its rest.
    pub load: Arc<Load>,
}

/// The endpoint that a request tries next.
#[derive(Debug)]
pub struct Chosen<'a> {
    /// The chosen endpoint.
    pub at: &'a CompiledEndpoint,
    /// Set if the endpoint's rest is over: only this request tests whether it accepts connections again. Keep the probe until the outcome
    /// is known.
    pub probe: Option<Probe<'a>>,
    /// No other endpoint is left for this request.
    pub is_last: bool,
}

impl CompiledPool {
    /// Compiles a pool. Its position and the loads of its endpoints come from the registry's state for `name`.
    pub fn new(name: &PoolName, pool: &Pool, endpoints: &[Endpoint], registry: &Registry) -> Self {
        // Only round robin is implemented. A new `Balance` variant does not compile here until it is handled.
        let Balance::RoundRobin = pool.balance;
        let mut endpoints = endpoints.to_vec();
        endpoints
            .sort_by(|left, right| (left.tier, &left.address).cmp(&(right.tier, &right.address)));
        let state = registry.pool(name);
        let loads = state.loads(endpoints.iter().map(|endpoint| &endpoint.address));
        let mut tiers = tier::tiers(&endpoints);
        Self {
            name: name.clone(),
            state,
            first: tiers.next(),
            later: tiers.collect(),
            ready: endpoints.iter().filter(|one| is_ready(one.state)).count(),
            endpoints: endpoints
                .into_iter()
                .zip(loads)
                .map(|(endpoint, load)| CompiledEndpoint {
                    peer: PeerKey::new(pool, endpoint.address),
                    state: endpoint.state,
                    load,
                })
                .collect(),
        }
    }

    /// Returns the pool's name.
    pub const fn name(&self) -> &PoolName {
        &self.name
    }

    /// Returns all endpoints, including draining ones, sorted by tier, then address.
    pub fn endpoints(&self) -> &[CompiledEndpoint] {
        &self.endpoints
    }

    /// Returns the order of the rounds as text, for comparisons.
    #[cfg(test)]
    pub(in crate::core) fn rounds(&self) -> String {
        format!("{:?} {:?}", self.first, self.later)
    }

    /// Takes a turn of the split whose first pool this is. Returns its number.
    pub fn take_split_turn(&self) -> u64 {
        self.state.take_split_turn()
    }

    /// Reports whether no endpoint accepts requests.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Returns the endpoint that a request tries next. Tier by tier, endpoints that are not resting come first: the one whose turn it is,
    /// then the others. When none of these is left, resting endpoints are tried: an endpoint of unknown health serves. `None` if every
    /// endpoint was tried.
    ///
    /// Takes no lock and does not allocate. A request takes one turn, however many endpoints it tries.
    pub fn choose(&self, walk: &mut Walk, now: Uptime) -> Option<Chosen<'_>> {
        walk.begin(|| self.state.take_turn());
        while let Some(at) = self.next(walk) {
            let endpoint = &self.endpoints[at];
            if !is_ready(endpoint.state) || walk.has_tried(at) {
                continue;
            }
            let probe = match endpoint.load.rest().access(now) {
                Access::Live => None,
                Access::Probe(probe) => Some(probe),
                Access::Resting if walk.takes_resting() => None,
                Access::Resting => {
                    walk.pass_over();
                    continue;
                }
            };
            walk.tried(at);
            return Some(Chosen {
                at: endpoint,
                probe,
                is_last: walk.count() >= self.ready,
            });
        }
        None
    }

    /// Returns the index of the next endpoint on the walk, whatever its state.
    fn next(&self, walk: &mut Walk) -> Option<usize> {
        loop {
            let Some(tier) = self.tier(walk.tier()) else {
                if !walk.turn_to_resting() {
                    return None;
                }
                continue;
            };
            if let Some(at) = tier.place(walk.turn(), walk.take_step()) {
                return Some(at);
            }
            walk.leave_tier();
        }
    }

    fn tier(&self, at: usize) -> Option<&Tier> {
        match at {
            0 => self.first.as_ref(),
            later => self.later.get(later - 1),
        }
    }
}

fn is_ready(state: EndpointState) -> bool {
    state == EndpointState::Ready
}
