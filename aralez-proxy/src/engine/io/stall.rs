//! Accounting of the time spent waiting for a peer, and the clock of a waiting task.

use std::time::{Duration, Instant};

/// One kind of wait. It restarts with every byte that moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wait {
    since: Option<Instant>,
    moved: u64,
    /// Total time of earlier waits.
    spent: Duration,
}

impl Wait {
    /// Starts or continues the wait. `moved` is the total number of bytes moved; a change of it restarts the wait.
    pub fn on(&mut self, moved: u64, now: Instant) {
        if self.since.is_some() && self.moved == moved {
            return;
        }
        self.off(now);
        self.since = Some(now);
        self.moved = moved;
    }

    /// Ends the wait.
    pub fn off(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.spent += now.saturating_duration_since(since);
        }
    }

    /// Returns the start of the current wait. `None` if there is none.
    pub const fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Returns the total time of earlier waits.
    pub const fn spent(&self) -> Duration {
        self.spent
    }
}

/// The clock of a task that is polled repeatedly: it is read once per wakeup, and not at all for the first poll, whose time is known.
#[derive(Clone, Copy, Debug)]
pub struct WakeTime(Option<Instant>);

impl WakeTime {
    /// Returns the clock of a running task that read the time a moment ago.
    pub const fn at(now: Instant) -> Self {
        Self(Some(now))
    }

    /// Returns the time of this poll.
    pub fn now(&mut self) -> Instant {
        self.0.take().unwrap_or_else(Instant::now)
    }
}

/// Returns the time at which a body becomes too slow, that is, averages less than `rate` bytes per second of waiting time. It is never
/// judged before `grace`. `None` if there is no limit.
pub fn slow_at(
    since: Instant,
    spent: Duration,
    bytes: u64,
    rate: u64,
    grace: Duration,
) -> Option<Instant> {
    if rate == 0 {
        return None;
    }
    let earned = Duration::from_millis(bytes.saturating_mul(1_000) / rate);
    since.checked_add(earned.max(grace).saturating_sub(spent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_begins_anew_with_every_byte() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut wait = Wait::default();
        wait.on(0, at(0));
        wait.on(0, at(5));
        assert_eq!(wait.since(), Some(at(0)));
        wait.on(1, at(7));
        assert_eq!(wait.since(), Some(at(7)));
        wait.off(at(9));
        assert_eq!((wait.since(), wait.spent()), (None, Duration::from_secs(9)));
    }

    #[test]
    fn the_first_look_at_the_time_costs_no_look_at_the_clock() {
        let known = Instant::now() + Duration::from_secs(9);
        let mut time = WakeTime::at(known);
        assert_eq!(time.now(), known);
        assert!(time.now() < known);
    }

    #[test]
    fn a_drip_is_too_slow_after_the_grace_and_a_steady_body_never() {
        let start = Instant::now();
        let seconds = Duration::from_secs;
        let slow = |spent, bytes| slow_at(start, seconds(spent), bytes, 100, seconds(30));
        assert_eq!(slow(0, 10), Some(start + seconds(30)));
        assert_eq!(slow(29, 10), Some(start + seconds(1)));
        assert_eq!(slow(40, 5_000), Some(start + seconds(10)));
        assert_eq!(slow_at(start, seconds(99), 0, 0, seconds(1)), None);
    }
}
