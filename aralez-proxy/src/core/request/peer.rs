//! Which connections to endpoints are as good as each other.

use aralez_proto::model::{EndpointAddress, Pool};

use crate::core::request::protocol::Protocol;

/// The identity of a connection to an endpoint that can be used again: requests share one only where all of this is equal, whatever their
/// pool. Never the address alone: two pools may trust the same address for different reasons.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PeerKey {
    address: EndpointAddress,
    security: Security,
    protocol: Protocol,
}

/// What protects a connection, and whom the endpoint has to prove to be.
///
/// TLS is a second variant here, with the identity of what a pool says about it (SNI, authorities, verification, client certificate). It is
/// obeyed where the compiler then asks: in [`PeerKey::new`] and in the connector (`engine::upstream::connect`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Security {
    /// Nothing: bytes as they are.
    Plain,
}

impl PeerKey {
    /// An endpoint as a pool says that it is connected to.
    pub fn new(pool: &Pool, address: EndpointAddress) -> Self {
        // Without `..`: a new field of a pool does not compile here until somebody says whether it tells connections apart.
        let Pool { balance: _ } = pool;
        Self {
            address,
            security: Security::Plain,
            protocol: Protocol::Http1,
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> &EndpointAddress {
        &self.address
    }

    /// What protects the connection.
    pub const fn security(&self) -> Security {
        self.security
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_no_protection_takes_no_memory_for_each_endpoint() {
        assert_eq!(size_of::<PeerKey>(), size_of::<EndpointAddress>());
    }
}
