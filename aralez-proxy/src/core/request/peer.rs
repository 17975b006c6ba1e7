//! The identity of endpoint connections.

use aralez_proto::model::{EndpointAddress, Pool};

use crate::core::request::protocol::Protocol;

/// The identity of a reusable endpoint connection. Requests share a connection only if all of this is equal, whatever their pool. The
/// address alone is not enough: two pools may trust the same address for different reasons.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct PeerKey {
    address: EndpointAddress,
    security: Security,
    protocol: Protocol,
}

/// The protection of a connection, and the identity that the endpoint has to prove.
///
/// TLS will be a second variant here, with the identity of a pool's TLS settings (SNI, authorities, verification, client certificate). The
/// compiler then points to the places to change: [`PeerKey::new`] and the connector (`engine::upstream::connect`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Security {
    /// No protection: plaintext.
    Plain,
}

impl PeerKey {
    /// Makes the identity of connections to `address` with the settings of `pool`.
    pub fn new(pool: &Pool, address: EndpointAddress) -> Self {
        // No `..`: a new field of `Pool` must not compile here until it is decided whether it distinguishes connections.
        let Pool { balance: _ } = pool;
        Self {
            address,
            security: Security::Plain,
            protocol: Protocol::Http1,
        }
    }

    /// Returns the address of the endpoint.
    pub const fn address(&self) -> &EndpointAddress {
        &self.address
    }

    /// Returns the protection of the connection.
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
