//! Endpoints: one address each.

use crate::model::EndpointAddress;

/// Who names an endpoint: no record has two owners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndpointOwner {
    /// A document.
    Document,
    /// A source that finds endpoints.
    Source,
}

/// Whether an endpoint takes new requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EndpointState {
    /// Takes requests.
    #[default]
    Ready,
    /// Finishes what it has.
    Draining,
}

/// One endpoint of a pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Where it listens; its identity within the pool.
    pub address: EndpointAddress,
    /// Its share of the requests, at least 1.
    pub weight: u16,
    /// 0 serves first; the next tier only where the one before has nothing live.
    pub tier: u8,
    /// Whether it takes new requests.
    pub state: EndpointState,
}

impl Endpoint {
    /// A ready endpoint of weight 1 in the first tier.
    pub const fn new(address: EndpointAddress) -> Self {
        Self {
            address,
            weight: 1,
            tier: 0,
            state: EndpointState::Ready,
        }
    }
}
