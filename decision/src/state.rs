//! The state that policies depend on: what earlier requests used up. A policy only names what it needs; whoever decides passes in the state.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// The state behind a decision. A proxy has that of its traffic; offline, it is [`Unused`].
pub trait State {
    /// Takes one request from a limit.
    ///
    /// # Errors
    /// The time until the limit admits another request.
    fn take(&self, take: &Take) -> Result<(), Duration>;
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

/// State that no request has used: every limit has room.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unused;

impl State for Unused {
    fn take(&self, _: &Take) -> Result<(), Duration> {
        Ok(())
    }
}
