//! The time within which a request must get a connection to an endpoint.

use std::time::{Duration, Instant};

/// Used as `timeouts.connect` if that is unlimited and another endpoint could be tried.
const USUAL: Duration = Duration::from_secs(2);
/// Divisor of `timeouts.connect` for the minimum share of one try, so that slow endpoints are not all given up too soon.
const SHORTEST: u32 = 8;

/// One deadline for all connect attempts of a request: `timeouts.connect` after the first of them began, or `timeouts.total`, if that is
/// earlier.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConnectTime {
    end: Option<Instant>,
    shortest: Duration,
    longest: Duration,
}

/// The part of it that one try may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Share {
    /// Deadline of the try; `None`: the operating system decides.
    pub until: Option<Instant>,
    /// The share is long enough to blame an endpoint that does not respond within it.
    pub is_fair: bool,
}

impl ConnectTime {
    /// Returns the connect time of a request whose first try begins now. `connect` is `timeouts.connect`, `None` if unlimited; `total_end`
    /// is the deadline of the whole exchange.
    pub fn new(now: Instant, connect: Option<Duration>, total_end: Option<Instant>) -> Self {
        let own = connect.map(|limit| now + limit);
        let limit = connect.unwrap_or(USUAL);
        Self {
            end: [own, total_end].into_iter().flatten().min(),
            shortest: limit / SHORTEST,
            longest: limit / 2,
        }
    }

    /// Returns the share of the try that begins now. A try that is not the last gets at most half of the time left, but never less than the
    /// minimum share, so that an unresponsive endpoint cannot use up the time of a healthy one. `None` if the time is over.
    pub fn share(&self, now: Instant, is_last: bool) -> Option<Share> {
        let left = self.end.map(|end| end.saturating_duration_since(now));
        if left.is_some_and(|left| left.is_zero()) {
            return None;
        }
        let time = match (left, is_last) {
            (left, true) => left,
            (None, false) => Some(self.longest),
            (Some(left), false) => Some((left / 2).max(self.shortest).min(left)),
        };
        Some(Share {
            until: time.map(|time| now + time),
            is_fair: time.is_none_or(|time| time >= self.shortest),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLIS: fn(u64) -> Duration = Duration::from_millis;

    /// Returns the duration in milliseconds of each of `count` tries that all time out, and whether it is fair.
    fn tries(time: ConnectTime, start: Instant, count: usize) -> Vec<(u64, bool)> {
        let mut now = start;
        let mut taken = Vec::new();
        for at in 1..=count {
            let Some(share) = time.share(now, at == count) else {
                break;
            };
            let until = share.until.unwrap();
            taken.push(((until - now).as_millis() as u64, share.is_fair));
            now = until;
        }
        taken
    }

    #[test]
    fn a_try_leaves_half_of_the_time_to_those_after_it() {
        let start = Instant::now();
        let time = ConnectTime::new(start, Some(MILLIS(2_000)), None);
        assert_eq!(tries(time, start, 1), [(2_000, true)]);
        let three = [(1_000, true), (500, true), (500, true)];
        assert_eq!(tries(time, start, 3), three);
        let many = [(1_000, true), (500, true), (250, true), (250, true)];
        assert_eq!(tries(time, start, 1_000), many);
        assert_eq!(time.share(start + MILLIS(2_000), true), None);
    }

    #[test]
    fn what_ends_with_the_whole_exchange_is_too_short_to_judge_an_endpoint() {
        let start = Instant::now();
        let total = Some(start + MILLIS(300));
        let time = ConnectTime::new(start, Some(MILLIS(2_000)), total);
        assert_eq!(tries(time, start, 3), [(250, true), (50, false)]);
    }

    #[test]
    fn without_a_limit_only_the_last_try_takes_as_long_as_it_wants() {
        let start = Instant::now();
        let time = ConnectTime::new(start, None, None);
        let share = time.share(start, false).unwrap();
        assert_eq!(share.until, Some(start + MILLIS(1_000)));
        let last = time.share(start + MILLIS(90_000), true).unwrap();
        assert_eq!((last.until, last.is_fair), (None, true));
    }
}
