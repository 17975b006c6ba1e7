//! The counts of `rate_limit` and `x4xx_limit`, by client. One instance serves all threads and all tables of a process, so counts survive a
//! change of the configuration.
//!
//! Nothing here grows with the number of clients beyond a bound: a count that has no effect any more is swept, and beyond
//! [`Bounds`] new clients share counts.

use std::num::NonZeroU32;
use std::time::Duration;

use aralez_decision::state::{ClientCounts, LimitKey, Take};
use governor::clock::Clock;
use governor::nanos::Nanos;

mod keyed;
mod quotas;
mod room;
#[cfg(test)]
mod tests;
mod window;

use keyed::KeyedStates;
use quotas::Quotas;
use room::Room;
use window::ErrorWindow;

/// The numbers of clients that are counted exactly. Beyond them, new clients share counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// For `rate_limit`, over all quotas. A count takes up to 60 bytes.
    pub requests: usize,
    /// For `x4xx_limit`. A count takes about 150 bytes, and 16 for each millisecond of the last second in which a response counted.
    pub errors: usize,
}

impl Default for Bounds {
    /// About 60 MiB and 20 MiB.
    fn default() -> Self {
        Self {
            requests: 1 << 20,
            errors: 1 << 17,
        }
    }
}

/// The counts of clients.
#[derive(Debug)]
pub struct Limiter<C: Clock<Instant = Nanos>> {
    clock: C,
    quotas: Quotas<C>,
    errors: KeyedStates<ErrorWindow>,
}

impl<C: Clock<Instant = Nanos> + Clone> Limiter<C> {
    /// Creates a limiter that has counted nothing.
    pub fn new(clock: C, bounds: Bounds) -> Self {
        Self {
            quotas: Quotas::new(clock.clone(), Room::of(bounds.requests)),
            errors: KeyedStates::new(Room::of(bounds.errors)),
            clock,
        }
    }

    /// Counts a response with a status of 400 to 499.
    pub fn count_error(&self, key: &LimitKey) {
        let now = self.uptime();
        self.errors.with(key, |window| window.count(now));
    }

    /// Removes the counts that have no effect any more. Holds each part of the counts only briefly.
    pub fn sweep(&self) {
        self.quotas.sweep();
        let now = self.uptime();
        self.errors.retain(|window| window.is_used(now));
    }

    /// Returns the number of clients that are counted.
    pub fn keys(&self) -> usize {
        self.quotas.keys() + self.errors.len()
    }

    fn uptime(&self) -> Duration {
        self.clock.now().into()
    }
}

impl<C: Clock<Instant = Nanos> + Clone + Default> Default for Limiter<C> {
    fn default() -> Self {
        Self::new(C::default(), Bounds::default())
    }
}

impl<C: Clock<Instant = Nanos> + Clone> ClientCounts for Limiter<C> {
    fn take(&self, take: &Take) -> Result<(), Duration> {
        self.quotas.take(take)
    }

    fn check_errors(&self, key: &LimitKey, most: NonZeroU32) -> Result<(), Duration> {
        let now = self.uptime();
        let wait = self.errors.find(key, |window| window.wait(most, now));
        wait.flatten().map_or(Ok(()), Err)
    }
}
