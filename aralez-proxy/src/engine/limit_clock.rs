//! The clock by which requests are limited.

use std::time::Instant;

use governor::clock::Clock;
use governor::nanos::Nanos;

/// The monotonic clock, as time since its creation.
#[derive(Clone, Copy, Debug)]
pub struct LimitClock(Instant);

impl Default for LimitClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for LimitClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.elapsed())
    }
}
