//! The state that policies depend on: what earlier requests used up. A policy only names what it needs; whoever decides passes in the state.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use aralez_proto::client::one_client;
use aralez_proto::rules::Quota;

/// The state behind a decision. A proxy has that of its traffic; offline, it is [`Unused`].
pub trait State {
    /// Returns the counts of clients.
    fn counts(&self) -> &dyn ClientCounts;

    /// Returns what earlier requests proved, or failed to prove.
    fn credentials(&self) -> &dyn Credentials;
}

/// The counts of clients for the limits of routes.
pub trait ClientCounts {
    /// Takes one request from a limit.
    ///
    /// # Errors
    /// The time until the limit admits another request.
    fn take(&self, take: &Take) -> Result<(), Duration>;

    /// Checks that a client was sent no more than `most` responses with a status of 400 to 499 within the last second.
    ///
    /// # Errors
    /// The time until that is so again.
    fn check_errors(&self, key: &LimitKey, most: NonZeroU32) -> Result<(), Duration>;
}

/// The memory of credentials: those that were verified, and the addresses that failed.
pub trait Credentials {
    /// Returns the current time, in seconds since 1970.
    fn unix_now(&self) -> u64;

    /// Returns the time for which a client is refused, because it failed too often. `None` if it is not.
    fn blocked(&self, client: IpAddr) -> Option<Duration>;

    /// Counts a failed attempt of a client.
    fn fail(&self, client: IpAddr);

    /// Returns the name under which credentials are remembered: a digest of the parts with a key that only this process knows.
    fn digest(&self, parts: &[&[u8]]) -> CredentialDigest;

    /// Returns what credentials were found to prove. `None` if they were not seen, or are forgotten.
    fn verified(&self, digest: &CredentialDigest) -> Option<Arc<Verified>>;

    /// Remembers credentials that were found to be right.
    fn remember(&self, digest: CredentialDigest, verified: Arc<Verified>);
}

/// The name of remembered credentials.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CredentialDigest(pub [u8; 32]);

/// What credentials prove.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// The end of their validity, in seconds since 1970. `None` if they are valid as long as the rule is.
    pub until: Option<u64>,
    /// The fields that the request to the endpoint gets: names in lower case, and values.
    pub fields: Box<[(Box<str>, Box<str>)]>,
    /// The claims that header values of the route show, by name.
    pub claims: Box<[(Box<str>, Box<str>)]>,
}

impl Verified {
    /// Returns whether the credentials are valid at a time in seconds since 1970.
    pub fn is_valid(&self, now: u64) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// One request to be taken from a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Take {
    /// The limit.
    pub quota: Quota,
    /// What is counted separately.
    pub key: LimitKey,
}

/// A client in a scope: each has a count of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LimitKey {
    /// Identifies the host or route that counts; the same in every table of a process.
    pub scope: u64,
    /// The client: an IPv4 address, or an IPv6 /64, which a single client has to itself.
    pub client: u64,
}

impl LimitKey {
    /// Returns the key of a client in a scope.
    pub fn new(scope: u64, client: IpAddr) -> Self {
        // No /64 of a client is taken for an IPv4 address: those below ::/32 are reserved (RFC 4291 section 2.4).
        let client = match one_client(client) {
            IpAddr::V4(address) => u64::from(u32::from(address)),
            IpAddr::V6(address) => (u128::from(address) >> 64) as u64,
        };
        Self { scope, client }
    }
}

/// State that no request has used: every limit has room, and no credentials are known.
#[derive(Clone, Copy, Debug)]
pub struct Unused {
    /// The current time, in seconds since 1970: it decides about tokens.
    pub unix_now: u64,
}

impl Unused {
    /// The state in 1970, for requests without tokens.
    pub const TIMELESS: Self = Self { unix_now: 0 };
}

impl State for Unused {
    fn counts(&self) -> &dyn ClientCounts {
        self
    }

    fn credentials(&self) -> &dyn Credentials {
        self
    }
}

impl ClientCounts for Unused {
    fn take(&self, _: &Take) -> Result<(), Duration> {
        Ok(())
    }

    fn check_errors(&self, _: &LimitKey, _: NonZeroU32) -> Result<(), Duration> {
        Ok(())
    }
}

impl Credentials for Unused {
    fn unix_now(&self) -> u64 {
        self.unix_now
    }

    fn blocked(&self, _: IpAddr) -> Option<Duration> {
        None
    }

    fn fail(&self, _: IpAddr) {}

    fn digest(&self, _: &[&[u8]]) -> CredentialDigest {
        CredentialDigest([0; 32])
    }

    fn verified(&self, _: &CredentialDigest) -> Option<Arc<Verified>> {
        None
    }

    fn remember(&self, _: CredentialDigest, _: Arc<Verified>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// rotating addresses within a /64 gains nothing.
    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_network_of_64_bits() {
        let client = |address: &str| LimitKey::new(1, address.parse().unwrap()).client;
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1:2:3"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }
}
