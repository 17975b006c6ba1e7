//! Verified credentials and failed attempts by address: the state of `authorization`, shared by all threads and independent of the table.
//!
//! Credentials that were found to be right are remembered by a keyed digest, so that a password is hashed once and a signature verified once.
//! The digest includes what they were compared with, so a changed rule forgets by itself. Everything is bounded, and split into shards whose
//! locks are held for a lookup each.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_decision::state::{CredentialDigest, Verified};
use aralez_proto::main_config::FailureRate;
use parking_lot::Mutex;

mod failures;
mod generations;
#[cfg(test)]
mod tests;

use failures::Failures;
use generations::Generations;

const SHARDS: usize = 16;

/// The most digests that a shard remembers in each generation: 10,240 in all.
const DIGESTS: usize = 320;

/// The memory of credentials. One instance per process.
pub struct CredentialMemory {
    /// The key of the digests. It is random, so digests cannot be computed outside of this process.
    key: [u8; 32],
    digests: [Mutex<Generations<CredentialDigest, Arc<Verified>>>; SHARDS],
    failures: Failures,
}

impl fmt::Debug for CredentialMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialMemory(…)")
    }
}

impl CredentialMemory {
    /// Creates an empty memory. `key` is random.
    pub fn new(key: [u8; 32], rate: FailureRate) -> Self {
        Self {
            key,
            digests: std::array::from_fn(|_| Mutex::new(Generations::new(DIGESTS))),
            failures: Failures::new(rate),
        }
    }

    /// Changes the rate of failures from which on an address is refused.
    pub fn set_rate(&self, rate: FailureRate) {
        self.failures.set_rate(rate);
    }

    /// Returns the time for which an address is refused, because it failed too often. `None` if it is not.
    pub fn blocked(&self, client: IpAddr, now: Instant) -> Option<Duration> {
        self.failures.blocked(client, now)
    }

    /// Counts a failed attempt.
    pub fn fail(&self, client: IpAddr, now: Instant) {
        self.failures.count(client, now);
    }

    /// Returns the name of credentials: a digest of all parts.
    pub fn digest(&self, parts: &[&[u8]]) -> CredentialDigest {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        CredentialDigest(hasher.finalize().into())
    }

    /// Returns what credentials were found to prove.
    pub fn verified(&self, digest: &CredentialDigest) -> Option<Arc<Verified>> {
        self.shard(digest).lock().get(digest)
    }

    /// Remembers credentials that were found to be right.
    pub fn remember(&self, digest: CredentialDigest, verified: Arc<Verified>) {
        self.shard(&digest).lock().insert(digest, verified);
    }

    fn shard(
        &self,
        digest: &CredentialDigest,
    ) -> &Mutex<Generations<CredentialDigest, Arc<Verified>>> {
        let CredentialDigest([first, ..]) = digest;
        &self.digests[usize::from(*first) % SHARDS]
    }
}
