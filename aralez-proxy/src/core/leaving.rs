//! The times at which connections close after the node has closed its listeners. They are spread over a part of the grace period, so that
//! clients do not all reconnect in the same instant, and so that most connections close with the response to one more request.

use std::time::{Duration, Instant};

/// Idle connections close within this fraction of the grace period, and within `IDLE_MOST`.
const IDLE_PART: f64 = 0.5;
const IDLE_MOST: Duration = Duration::from_secs(10);

/// Tunnels start to close within this range of their grace time. The rest of it lets a frame in flight finish.
const TUNNEL_CLOSE: [f64; 2] = [0.85, 0.9];
/// A tunnel whose frame is still unfinished at this fraction of its grace time is reset.
const TUNNEL_RESET: f64 = 0.97;

/// Durations of the shutdown phases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Phases {
    /// Time for which the node still serves, but reports not ready and asks clients to reconnect elsewhere.
    pub lame_duck: Duration,
    /// Time for running requests and tunnels to finish after the listeners closed.
    pub grace_period: Duration,
}

/// The moment at which the listeners closed, and the grace period that follows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed {
    /// The time at which the listeners closed.
    pub at: Instant,
    /// The grace period from then on.
    pub grace: Duration,
}

/// A random fraction between 0 and 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draw(u32);

impl Draw {
    /// Makes a fraction of random bytes.
    pub const fn new(random: [u8; 4]) -> Self {
        Self(u32::from_ne_bytes(random))
    }

    fn part(self) -> f64 {
        f64::from(self.0) / f64::from(u32::MAX)
    }
}

/// The times at which a tunnel closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TunnelEnd {
    /// From this time on the tunnel closes as soon as no frame to its client is in flight.
    pub close: Instant,
    /// The time at which the tunnel is reset.
    pub reset: Instant,
}

impl Closed {
    /// Returns the time at which an idle connection closes.
    pub fn idle_until(&self, draw: Draw) -> Instant {
        let window = self.grace.mul_f64(IDLE_PART).min(IDLE_MOST);
        self.at + window.mul_f64(draw.part())
    }

    /// Returns the times at which a tunnel closes. `limit` is `tunnel_grace`, capped at the grace period.
    pub fn tunnel_until(&self, limit: Option<Duration>, draw: Draw) -> TunnelEnd {
        let whole = limit.map_or(self.grace, |limit| limit.min(self.grace));
        let [from, to] = TUNNEL_CLOSE;
        TunnelEnd {
            close: self.at + whole.mul_f64(from + (to - from) * draw.part()),
            reset: self.at + whole.mul_f64(TUNNEL_RESET),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const DRAWS: [Draw; 3] = [Draw(0), Draw(u32::MAX / 2), Draw(u32::MAX)];

    #[test]
    fn idle_connections_end_within_half_of_the_grace_and_within_ten_seconds() {
        let at = Instant::now();
        for (grace, last) in [(4, 2), (25, 10), (3_600, 10)] {
            let closed = Closed {
                at,
                grace: grace * SECOND,
            };
            let ends = DRAWS.map(|draw| closed.idle_until(draw));
            assert_eq!((ends[0], ends[2]), (at, at + last * SECOND));
            assert!(ends[0] < ends[1] && ends[1] < ends[2]);
        }
        let none = Closed {
            at,
            grace: Duration::ZERO,
        };
        assert!(DRAWS.iter().all(|draw| none.idle_until(*draw) == at));
    }

    #[test]
    fn tunnels_end_before_their_time_is_over_and_no_later_than_the_grace() {
        let at = Instant::now();
        let closed = Closed {
            at,
            grace: 20 * SECOND,
        };
        for (limit, whole) in [(None, 20), (Some(10 * SECOND), 10), (Some(60 * SECOND), 20)] {
            for draw in DRAWS {
                let end = closed.tunnel_until(limit, draw);
                assert!(end.close >= at + whole * SECOND * 17 / 20, "{limit:?}");
                assert!(end.close < end.reset && end.reset < at + whole * SECOND);
            }
        }
    }
}
