//! How many streams are let in, and when the rest is told to come back.

use std::time::{Duration, Instant};

/// Streams at a time.
const MAX_STREAMS: usize = 16_384;
/// Between two streams on average,
const INTERVAL: Duration = Duration::from_millis(4);
/// of which this many may come at once.
const BURST: u32 = 256;
/// How far apart the ends of a retry window are.
const SPREAD: Duration = Duration::from_secs(1);

/// Lets streams in at a bounded rate. Those it does not let in are given windows one after the other, so that they do not all come back
/// at once.
#[derive(Debug)]
pub(super) struct Admission {
    open: usize,
    /// When the tokens spent so far will be paid back.
    spent_until: Instant,
    /// The slot of the last one that was told to come back.
    promised_until: Instant,
}

impl Admission {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            open: 0,
            spent_until: now,
            promised_until: now,
        }
    }

    /// Lets a stream in, or says when it may come back.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), (Duration, Duration)> {
        let spent = self.spent_until.max(now);
        let free_at = (spent + INTERVAL)
            .checked_sub(INTERVAL * BURST)
            .unwrap_or(now);
        if self.open < MAX_STREAMS && free_at <= now {
            self.spent_until = spent + INTERVAL;
            self.open += 1;
            return Ok(());
        }
        self.promised_until = self.promised_until.max(free_at).max(now) + INTERVAL;
        let wait = self.promised_until.saturating_duration_since(now);
        Err((wait, wait + SPREAD))
    }

    /// A stream that was let in has ended.
    pub(super) const fn ended(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// How long all that are open need to come back at the bounded rate.
    pub(super) fn time_to_return(&self) -> Duration {
        let open = u32::try_from(self.open).unwrap_or(u32::MAX);
        SPREAD + INTERVAL * open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_herd_is_let_in_at_the_rate_and_the_rest_gets_slots_one_after_the_other() {
        let start = Instant::now();
        let mut admission = Admission::new(start);
        let mut windows = Vec::new();
        for _ in 0..2_000 {
            if let Err(window) = admission.admit(start) {
                windows.push(window);
            }
        }
        assert_eq!(windows.len(), 2_000 - BURST as usize);
        assert!(windows.is_sorted_by(|left, right| left.0 < right.0));
        let last = windows.last().unwrap();
        assert!(last.0 >= INTERVAL * 1_700, "{last:?}");
        let later = start + last.0;
        assert!(admission.admit(later).is_ok());
    }

    #[test]
    fn one_that_comes_alone_is_always_let_in() {
        let start = Instant::now();
        let mut admission = Admission::new(start);
        for second in 0..1_000 {
            let now = start + Duration::from_secs(second);
            assert!(admission.admit(now).is_ok(), "{second}");
            admission.ended();
        }
    }
}
