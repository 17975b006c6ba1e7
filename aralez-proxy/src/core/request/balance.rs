//! Choosing an endpoint.

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
    /// How many endpoints are ready.
    ready: usize,
}

/// An endpoint with its state that outlives tables.
#[derive(Clone, Debug)]
pub struct CompiledEndpoint {
    /// How it is connected to.
    pub peer: PeerKey,
    /// Whether it takes new requests.
    pub state: EndpointState,
    /// What it carries.
    pub load: Arc<Load>,
}

/// The endpoint that a request tries next.
#[derive(Debug)]
pub struct Chosen<'a> {
    /// The endpoint.
    pub at: &'a CompiledEndpoint,
    /// Its rest is over, and this request alone finds out whether it can be connected to again. To be held until the outcome is known.
    pub probe: Option<Probe<'a>>,
    /// The request has no other endpoint left.
    pub is_last: bool,
}

impl CompiledPool {
    /// Compiles a pool. Its position and its endpoints' loads are those of the pool's name.
    pub fn new(name: &PoolName, pool: &Pool, endpoints: &[Endpoint], registry: &Registry) -> Self {
        // What is compiled here goes in turn. Another balance does not compile until it has something of its own.
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

    /// The pool's name.
    pub const fn name(&self) -> &PoolName {
        &self.name
    }

    /// All endpoints, draining ones too, ascending by tier, then address.
    pub fn endpoints(&self) -> &[CompiledEndpoint] {
        &self.endpoints
    }

    /// In which order it is gone through, to be compared.
    #[cfg(test)]
    pub(in crate::core) fn rounds(&self) -> String {
        format!("{:?} {:?}", self.first, self.later)
    }

    /// Whether no endpoint takes requests.
    pub const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The endpoint that a request tries next: of those that do not rest, tier by tier, the one whose turn it is, then the others. Where
    /// none of them is left, those that rest: an endpoint of unknown health serves. `None`: every endpoint was tried.
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

    /// The place of the next endpoint on the walk, whatever its state.
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
