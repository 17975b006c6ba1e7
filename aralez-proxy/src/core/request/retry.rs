//! Decides when a request is sent again. The rules know nothing of the engine that applies them.
//!
//! Two failures are retried. A connect that fails: nothing was sent, so a request of any method may go to any other endpoint of the pool,
//! within [`ConnectTime`]. And a reused connection that its endpoint had closed, or closes with a 408 while the request is in flight: a
//! request that is idempotent, or of which nothing was sent, is sent once more on a new connection (RFC 9112 section 9.3.1, RFC 9110
//! section 15.5.9). Only the latter can load an endpoint twice, so only that has a [`Budget`].

use std::sync::atomic::{AtomicU32, Ordering};

mod connect_time;

pub use connect_time::{ConnectTime, Share};

/// Maximum number of bytes of a sent request that are kept for sending it again.
pub const LARGEST_REPLAY: usize = 64 * 1024;

/// Returns whether a request of this method is idempotent, so that an endpoint may see it twice (RFC 9110 section 9.2.2).
pub fn is_idempotent(method: &str) -> bool {
    // RFC 9110 section 9.2.2: the methods GET, HEAD, OPTIONS, TRACE, PUT and DELETE are idempotent; any other method counts as not
    // idempotent.
    matches!(
        method,
        "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "TRACE"
    )
}

/// The conditions under which a request is sent on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The connection has served a request before.
    pub reused: bool,
    /// The request is being sent for the second time.
    pub again: bool,
    /// The budget allows one more retry.
    pub allowed: bool,
}

/// The facts about a request that failed on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed {
    /// The conditions under which it was sent.
    pub attempt: Attempt,
    /// A byte of the response arrived, other than those of a 408 that closes the connection.
    pub answered: bool,
    /// A byte of the request was sent.
    pub sent: bool,
    /// The endpoint may see the request twice.
    pub idempotent: bool,
    /// All bytes that were sent are still buffered.
    pub kept: bool,
}

impl Failed {
    /// Returns whether the request is sent once more, on a new connection.
    pub const fn is_retried(self) -> bool {
        let Attempt {
            reused,
            again,
            allowed,
        } = self.attempt;
        // RFC 9112 section 9.3.1: a request whose connection closes before the response may be sent again on a new connection if its method
        // is idempotent.
        // RFC 9110 section 9.2.2: a proxy does not repeat a request with a method that is not idempotent once it has sent a byte of it.
        let harmless = !self.sent || (self.idempotent && self.kept && allowed);
        // RFC 9110 section 9.2.2: an automatic retry that failed is not retried.
        reused && !self.answered && !again && harmless
    }

    /// Returns whether the failure counts as a failed connect: a new connection broke before a byte of the request was sent on it.
    pub const fn is_no_connection(self) -> bool {
        !self.attempt.reused && !self.answered && !self.sent
    }
}

/// Limits failed retries to a fifth of all requests, so that an endpoint in trouble does not get twice the load. Only a retry of a request
/// that was sent counts, and only if it fails again: a successful retry and a failed connect cost nothing.
#[derive(Debug)]
pub struct Budget(AtomicU32);

/// Cost of a failed retry; each request earns 1.
const PRICE: u32 = 5;
/// Upper bound of the balance.
const MOST: u32 = 100 * PRICE;
/// Initial balance, so that a proxy with little traffic can retry.
const FIRST: u32 = 10 * PRICE;

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(FIRST))
    }
}

impl Budget {
    /// Counts a request.
    pub fn earn(&self) {
        // An update lost to a race between threads is a fraction of a retry.
        let saved = self.0.load(Ordering::Relaxed);
        if saved < MOST {
            self.0.store(saved + 1, Ordering::Relaxed);
        }
    }

    /// Returns whether another retry may be tried.
    pub fn allows(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= PRICE
    }

    /// Counts a failed retry.
    pub fn spend(&self) {
        let saved = self.0.load(Ordering::Relaxed);
        self.0.store(saved.saturating_sub(PRICE), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: Attempt = Attempt {
        reused: true,
        again: false,
        allowed: true,
    };

    const STALE: Failed = Failed {
        attempt: KEPT,
        answered: false,
        sent: true,
        idempotent: true,
        kept: true,
    };

    const fn on(attempt: Attempt) -> Failed {
        Failed { attempt, ..STALE }
    }

    #[test]
    fn a_stale_connection_costs_an_idempotent_request_nothing() {
        assert!(STALE.is_retried());
        let nothing_sent = Failed {
            sent: false,
            idempotent: false,
            ..on(Attempt {
                allowed: false,
                ..KEPT
            })
        };
        assert!(nothing_sent.is_retried());
    }

    #[test]
    fn what_an_endpoint_may_have_acted_on_is_not_sent_again() {
        for failed in [
            Failed {
                idempotent: false,
                ..STALE
            },
            Failed {
                answered: true,
                ..STALE
            },
            on(Attempt {
                reused: false,
                ..KEPT
            }),
            Failed {
                kept: false,
                ..STALE
            },
            on(Attempt {
                again: true,
                ..KEPT
            }),
            on(Attempt {
                allowed: false,
                ..KEPT
            }),
        ] {
            assert!(!failed.is_retried(), "{failed:?}");
        }
        for method in ["POST", "PATCH", "get", "LOCK"] {
            assert!(!is_idempotent(method), "{method}");
        }
    }

    #[test]
    fn where_every_retry_fails_there_is_at_most_one_for_five_requests() {
        let budget = Budget::default();
        let mut retries = 0;
        for _ in 0..10_000 {
            budget.earn();
            if budget.allows() {
                budget.spend();
                retries += 1;
            }
        }
        assert!((2_000..2_020).contains(&retries), "{retries}");
    }
}
