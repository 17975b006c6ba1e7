//! Endpoints: one address each.

use crate::model::EndpointAddress;

/// The owner of an endpoint. No record has two owners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndpointOwner {
    /// A document.
    Document,
    /// A source that finds endpoints.
    Source,
}

/// The readiness of an endpoint for new requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EndpointState {
    /// Accepts requests.
    #[default]
    Ready,
    /// Finishes its requests and gets no new ones.
    Draining,
}

/// One endpoint of a pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// The address that it listens on; its identity within the pool.
    pub address: EndpointAddress,
    /// Its share of the requests, at least 1.
    pub weight: u16,
    /// Tier 0 serves first; the next tier only if the previous one has no live endpoint.
    pub tier: u8,
    /// Its readiness for new requests.
    pub state: EndpointState,
}

impl Endpoint {
    /// Returns a ready endpoint of weight 1 in the first tier.
    pub const fn new(address: EndpointAddress) -> Self {
        Self {
            address,
            weight: 1,
            tier: 0,
            state: EndpointState::Ready,
        }
    }
}
