//! The state behind a decision, as one exchange sees it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::engine::threads::context::ThreadContext;
use aralez_decision::state::{ClientCounts, CredentialDigest, Credentials, State, Verified};

/// The state of earlier requests, and the time of this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct RequestState<'a> {
    pub(super) worker: &'a ThreadContext,
    pub(super) now: Instant,
}

impl State for RequestState<'_> {
    fn counts(&self) -> &dyn ClientCounts {
        &*self.worker.engine.limiter
    }

    fn credentials(&self) -> &dyn Credentials {
        self
    }
}

impl Credentials for RequestState<'_> {
    fn unix_now(&self) -> u64 {
        self.worker.unix_now(self.now)
    }

    fn blocked(&self, client: IpAddr) -> Option<Duration> {
        self.worker.engine.credentials.blocked(client, self.now)
    }

    fn fail(&self, client: IpAddr) {
        self.worker.engine.credentials.fail(client, self.now);
    }

    fn digest(&self, parts: &[&[u8]]) -> CredentialDigest {
        self.worker.engine.credentials.digest(parts)
    }

    fn verified(&self, digest: &CredentialDigest) -> Option<Arc<Verified>> {
        self.worker.engine.credentials.verified(digest)
    }

    fn remember(&self, digest: CredentialDigest, verified: Arc<Verified>) {
        self.worker.engine.credentials.remember(digest, verified);
    }
}
