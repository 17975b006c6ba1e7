//! The state that policies depend on: what earlier requests used up. A policy only names what it needs; whoever decides passes in the state.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// The state behind a decision. A proxy has that of its traffic; offline, it is [`Unused`].
pub trait State {
    /// Takes one request from a limit.
    ///
    /// # Errors
    /// The time until the limit admits another request.
    fn take(&self, take: &Take) -> Result<(), Duration>;

    /// Returns what earlier requests proved, or failed to prove.
    fn credentials(&self) -> &dyn Credentials;
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

/// A rate with a burst.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Quota {
    /// Number of requests in `per`.
    pub requests: NonZeroU32,
    /// The period.
    pub per: Duration,
    /// Number of requests that may arrive at once.
    pub burst: NonZeroU32,
}

/// A client in a scope: each has a count of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LimitKey {
    /// Identifies the host or route that counts; the same in every table.
    pub scope: u64,
    /// The client's address. An IPv6 client is its /64 network.
    pub client: IpAddr,
}

/// State that no request has used: every limit has room, and no credentials are known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unused;

impl State for Unused {
    fn take(&self, _: &Take) -> Result<(), Duration> {
        Ok(())
    }

    fn credentials(&self) -> &dyn Credentials {
        self
    }
}

impl Credentials for Unused {
    fn unix_now(&self) -> u64 {
        0
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
