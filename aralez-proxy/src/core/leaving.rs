//! When connections end once the node has closed its listeners: spread over a part of the grace period, so that clients do not all
//! reconnect in the same instant, and so that most connections end with the answer to one more request.

use std::time::{Duration, Instant};

/// The part of the grace period in which idle connections end, and the most that it may be.
const IDLE_PART: f64 = 0.5;
const IDLE_MOST: Duration = Duration::from_secs(10);

/// Tunnels are asked to end in this part of their time. Then the frame that is under way may finish.
const TUNNEL_CLOSE: [f64; 2] = [0.85, 0.9];
/// A tunnel whose frame has not finished is reset then.
const TUNNEL_RESET: f64 = 0.97;

/// How long each phase of leaving may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Phases {
    /// Still serving, but not ready and asking clients to reconnect elsewhere.
    pub lame_duck: Duration,
    /// Finishing what runs after the listeners closed.
    pub grace_period: Duration,
}

/// The close of the listeners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed {
    /// When that was.
    pub at: Instant,
    /// How long what runs may take from then on.
    pub grace: Duration,
}

/// A random part of a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draw(u32);

impl Draw {
    /// From random bytes.
    pub const fn new(random: [u8; 4]) -> Self {
        Self(u32::from_ne_bytes(random))
    }

    fn part(self) -> f64 {
        f64::from(self.0) / f64::from(u32::MAX)
    }
}

/// When a tunnel ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TunnelEnd {
    /// From here on it ends as soon as no frame is under way to its client.
    pub close: Instant,
    /// It is reset.
    pub reset: Instant,
}

impl Closed {
    /// When an idle connection ends.
    pub fn idle_until(&self, draw: Draw) -> Instant {
        let window = self.grace.mul_f64(IDLE_PART).min(IDLE_MOST);
        self.at + window.mul_f64(draw.part())
    }

    /// When a tunnel ends; `limit` is `tunnel_grace`, and is never longer than the grace period.
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
