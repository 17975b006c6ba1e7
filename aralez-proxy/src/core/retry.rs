//! When a request is sent once more. The rules are those of every engine; what they look at is plain.
//!
//! Two things are tried again. A connection that cannot be made: nothing was sent, so any method may go to another endpoint. And a
//! kept connection that its endpoint had closed, which shows when a request is sent on it: a request that an endpoint may see twice
//! without harm, or of which nothing was sent, goes out once more on a new connection (RFC 9112 section 9.3.1).

use std::sync::atomic::{AtomicU32, Ordering};

/// Tries to connect for one request, the first one included (notes/security.md section 10, U-01).
pub const CONNECT_TRIES: usize = 2;

/// What was sent of a request is kept up to this size, so that it can be sent again (U-02).
pub const LARGEST_REPLAY: usize = 64 * 1024;

/// Whether an endpoint may see a request of this method twice (RFC 9110 section 9.2.2).
pub fn is_idempotent(method: &str) -> bool {
    matches!(
        method,
        "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "TRACE"
    )
}

/// What is known of a request that failed on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed {
    /// The connection had served a request before.
    pub reused: bool,
    /// A byte of the answer came.
    pub answered: bool,
    /// A byte of the request was sent.
    pub sent: bool,
    /// The endpoint may see the request twice.
    pub idempotent: bool,
    /// All that was sent is still there to be sent again.
    pub kept: bool,
    /// It was sent again before.
    pub again: bool,
}

impl Failed {
    /// Whether the request is sent once more, on a new connection.
    pub const fn is_retried(self) -> bool {
        let harmless = !self.sent || (self.idempotent && self.kept);
        self.reused && !self.answered && !self.again && harmless
    }
}

/// Keeps retries that fail below a fifth of all requests, so that a pool that is down is not asked twice as often. A retry that
/// succeeds costs nothing: one dead endpoint among live ones is no reason to let requests fail.
#[derive(Debug)]
pub struct Budget(AtomicU32);

/// What a retry that fails takes; a request gives 1.
const PRICE: u32 = 5;
/// What can be saved up.
const MOST: u32 = 100 * PRICE;
/// What a quiet proxy begins with.
const FIRST: u32 = 10 * PRICE;

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(FIRST))
    }
}

impl Budget {
    /// A request came.
    pub fn earn(&self) {
        // A lost update among threads is a fraction of a retry.
        let saved = self.0.load(Ordering::Relaxed);
        if saved < MOST {
            self.0.store(saved + 1, Ordering::Relaxed);
        }
    }

    /// Whether another retry may be tried.
    pub fn allows(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= PRICE
    }

    /// A retry failed.
    pub fn spend(&self) {
        let saved = self.0.load(Ordering::Relaxed);
        self.0.store(saved.saturating_sub(PRICE), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALE: Failed = Failed {
        reused: true,
        answered: false,
        sent: true,
        idempotent: true,
        kept: true,
        again: false,
    };

    #[test]
    fn a_stale_connection_costs_an_idempotent_request_nothing() {
        assert!(STALE.is_retried());
        let nothing_sent = Failed {
            sent: false,
            idempotent: false,
            ..STALE
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
            Failed {
                reused: false,
                ..STALE
            },
            Failed {
                kept: false,
                ..STALE
            },
            Failed {
                again: true,
                ..STALE
            },
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
