//! Rest: an endpoint to which a connect failed is avoided for a while, and then probed by one request at a time.
//!
//! The state is one atomic number, so reading it takes no lock. It is part of [`crate::core::request::registry::Load`], which is keyed by
//! pool and address and outlives tables.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// The first rest, in milliseconds. Each further consecutive failure doubles it.
const FIRST: u64 = 1_000;
/// The longest rest, in milliseconds.
const LONGEST: u64 = 30_000;

/// Milliseconds since the engine started: a time that fits into one atomic number together with a count.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Uptime(u64);

impl Uptime {
    /// Returns the time from `started` to `now`.
    pub fn between(started: Instant, now: Instant) -> Self {
        let since = now.saturating_duration_since(started);
        // 2^56 milliseconds are two million years.
        Self(since.as_millis() as u64 & LATEST)
    }

    /// Makes an uptime of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis & LATEST)
    }
}

const COUNT_BITS: u32 = 8;
const LATEST: u64 = u64::MAX >> COUNT_BITS;
/// Replaces the end of a rest while a probe is in progress.
const PROBED: u64 = LATEST;

/// The consecutive connect failures, and the end of the rest. 0 if the last connect succeeded or there was none.
#[derive(Debug, Default)]
pub struct Rest(AtomicU64);

/// An unpacked [`Rest`].
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    failures: u8,
    until: u64,
}

impl State {
    const fn of(packed: u64) -> Self {
        Self {
            failures: packed as u8,
            until: packed >> COUNT_BITS,
        }
    }

    const fn pack(self) -> u64 {
        self.until << COUNT_BITS | self.failures as u64
    }

    /// Reports whether the endpoint failed and is not resting at `now`, so that a probe is due.
    const fn is_due(self, now: Uptime) -> bool {
        self.failures > 0 && self.until <= now.0
    }

    const fn after_failure(self, now: Uptime) -> Self {
        let doubled = if self.failures < 5 { self.failures } else { 5 };
        let rest = FIRST << doubled;
        let rest = if rest < LONGEST { rest } else { LONGEST };
        Self {
            failures: self.failures.saturating_add(1),
            until: now.0 + rest,
        }
    }
}

/// The access of a request to an endpoint.
#[derive(Debug)]
pub enum Access<'a> {
    /// Use the endpoint.
    Live,
    /// Connect to it: this request alone probes the endpoint until the outcome is known.
    Probe(Probe<'a>),
    /// Avoid it if there is another endpoint.
    Resting,
}

impl Rest {
    /// Returns how a request may use the endpoint. Among all requests after the end of a rest, one gets the probe.
    pub fn access(&self, now: Uptime) -> Access<'_> {
        let packed = self.0.load(Ordering::Relaxed);
        if packed == 0 {
            return Access::Live;
        }
        let state = State::of(packed);
        let probed = State {
            until: PROBED,
            ..state
        };
        let claimed = state.is_due(now)
            && self
                .0
                .compare_exchange(packed, probed.pack(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if claimed {
            Access::Probe(Probe {
                rest: self,
                packed: probed.pack(),
            })
        } else {
            Access::Resting
        }
    }

    /// Reports whether the endpoint is resting or being probed.
    pub fn is_resting(&self, now: Uptime) -> bool {
        let state = State::of(self.0.load(Ordering::Relaxed));
        state.failures > 0 && !state.is_due(now)
    }

    /// Records a successful connect, which clears the rest and the failures.
    pub fn connected(&self) {
        if self.0.load(Ordering::Relaxed) != 0 {
            self.0.store(0, Ordering::Relaxed);
        }
    }

    /// Records a failed connect for which the endpoint or the path to it is responsible. Concurrent failures count as one.
    pub fn failed(&self, now: Uptime) {
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |packed| {
                let state = State::of(packed);
                let rests = state.failures > 0 && state.until > now.0 && state.until != PROBED;
                (!rests).then(|| state.after_failure(now).pack())
            });
    }
}

/// The right to probe an endpoint. If it is dropped without an outcome, for example because the client disconnected, it passes to the next
/// request.
#[derive(Debug)]
pub struct Probe<'a> {
    rest: &'a Rest,
    packed: u64,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        let due = State {
            until: 0,
            ..State::of(self.packed)
        };
        // The compare-exchange fails if there was an outcome.
        let _ = self.rest.0.compare_exchange(
            self.packed,
            due.pack(),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Uptime {
        Uptime::from_millis(millis)
    }

    fn is_live(rest: &Rest, now: u64) -> bool {
        matches!(rest.access(at(now)), Access::Live)
    }

    fn is_probe(access: &Access<'_>) -> bool {
        matches!(access, Access::Probe(_))
    }

    #[test]
    fn a_failure_begins_a_rest_after_which_one_request_probes() {
        let rest = Rest::default();
        assert!(is_live(&rest, 5));
        rest.failed(at(5));
        assert!(matches!(rest.access(at(1_004)), Access::Resting));
        let first = rest.access(at(1_005));
        assert!(is_probe(&first));
        assert!(matches!(rest.access(at(9_000)), Access::Resting));
        assert!(rest.is_resting(at(9_000)));
        rest.connected();
        drop(first);
        assert!(is_live(&rest, 9_000));
    }

    #[test]
    fn a_probe_without_an_outcome_passes_to_the_next_request() {
        let rest = Rest::default();
        rest.failed(at(0));
        drop(rest.access(at(2_000)));
        assert!(is_probe(&rest.access(at(2_000))));
    }

    #[test]
    fn rests_double_up_to_half_a_minute_and_a_success_begins_anew() {
        let rest = Rest::default();
        let mut now = 0;
        let mut rests = Vec::new();
        for _ in 0..300 {
            let probe = rest.access(at(now));
            rest.failed(at(now));
            drop(probe);
            let ends = |millis: &u64| !rest.is_resting(at(now + millis));
            let length = (1..=LONGEST).find(ends).unwrap();
            rests.push(length);
            now += length;
        }
        assert_eq!(rests[..6], [1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
        assert!(rests[6..].iter().all(|rest| *rest == LONGEST));
        rest.connected();
        rest.failed(at(now));
        assert!(!rest.is_resting(at(now + 1_000)));
    }

    #[test]
    fn many_that_fail_at_once_are_one_failure() {
        let rest = Rest::default();
        for _ in 0..100 {
            rest.failed(at(7));
        }
        assert!(is_probe(&rest.access(at(1_007))));
    }

    #[test]
    fn a_try_that_fails_beside_a_probe_ends_it() {
        let rest = Rest::default();
        rest.failed(at(0));
        let probe = rest.access(at(1_000));
        rest.failed(at(1_100));
        drop(probe);
        assert!(rest.is_resting(at(3_099)) && !rest.is_resting(at(3_100)));
    }
}
