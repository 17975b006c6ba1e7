//! When a request is sent once more. The rules are those of every engine; what they look at is plain.
//!
//! Two things are tried again. A connection that cannot be made: nothing was sent, so any method may go to any other endpoint of the
//! pool, within [`ConnectTime`]. And a kept connection that its endpoint had closed, or closes with a 408 while the request is on its way: a
//! request that an endpoint may see twice without harm, or of which nothing was sent, goes out once more on a new connection (RFC 9112
//! section 9.3.1, RFC 9110 section 15.5.9). Only the latter may load an endpoint twice, so only that has a [`Budget`].

use std::sync::atomic::{AtomicU32, Ordering};

mod connect_time;

pub use connect_time::{ConnectTime, Share};

/// What was sent of a request is kept up to this size, so that it can be sent again (U-02).
pub const LARGEST_REPLAY: usize = 64 * 1024;

/// Whether an endpoint may see a request of this method twice (RFC 9110 section 9.2.2).
pub fn is_idempotent(method: &str) -> bool {
    matches!(
        method,
        "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS" | "TRACE"
    )
}

/// On which terms a request is sent on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The connection had served a request before.
    pub reused: bool,
    /// The request was sent before.
    pub again: bool,
    /// The budget has room for one more retry.
    pub allowed: bool,
}

/// What is known of a request that failed on a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed {
    /// The terms on which it was sent.
    pub attempt: Attempt,
    /// A byte of the answer came, other than those of a 408 that ends the connection.
    pub answered: bool,
    /// A byte of the request was sent.
    pub sent: bool,
    /// The endpoint may see the request twice.
    pub idempotent: bool,
    /// All that was sent is still there to be sent again.
    pub kept: bool,
}

impl Failed {
    /// Whether the request is sent once more, on a new connection.
    pub const fn is_retried(self) -> bool {
        let Attempt {
            reused,
            again,
            allowed,
        } = self.attempt;
        let harmless = !self.sent || (self.idempotent && self.kept && allowed);
        reused && !self.answered && !again && harmless
    }

    /// Whether the new connection was none: it broke before a byte of the request was sent on it.
    pub const fn is_no_connection(self) -> bool {
        !self.attempt.reused && !self.answered && !self.sent
    }
}

/// Keeps retries of what was sent, and that fail again, below a fifth of all requests, so that an endpoint in trouble is not asked twice
/// as often. A retry that succeeds costs nothing, and neither does a connect that fails: nothing was sent.
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
