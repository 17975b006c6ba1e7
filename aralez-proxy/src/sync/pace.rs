//! Pacing of cache writes: configuration at most once per second, endpoints alone every 30 s.

use std::time::{Duration, Instant};

const CONFIG_EVERY: Duration = Duration::from_secs(1);
const ENDPOINTS_EVERY: Duration = Duration::from_secs(30);
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// The schedule of writes.
#[derive(Debug, Default)]
pub(super) struct Pace {
    written: Option<Instant>,
    due: Option<Instant>,
}

impl Pace {
    /// Schedules the write of a new snapshot. `endpoints_only`: it differs from the previous one only in endpoints.
    pub(super) fn changed(&mut self, now: Instant, endpoints_only: bool) {
        let every = if endpoints_only {
            ENDPOINTS_EVERY
        } else {
            CONFIG_EVERY
        };
        let due = self
            .written
            .map_or(now, |written| (written + every).max(now));
        self.due = Some(self.due.map_or(due, |before| before.min(due)));
    }

    pub(super) fn written(&mut self, now: Instant) {
        self.written = Some(now);
        self.due = None;
    }

    pub(super) fn failed(&mut self, now: Instant) {
        self.due = Some(now + RETRY_AFTER);
    }

    /// Returns when the write is due. `None` if nothing is waiting to be written.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }
}

/// Number of swaps in quick succession whose marks are written before the swap.
const BURST: u32 = 8;
const BURST_REFILL: Duration = Duration::from_secs(1);

/// Decides which swaps wait for their marks. The first few do, so that a death right after any of them is remembered; then one per second,
/// so that a stream of updates does not wear out the disk.
#[derive(Debug)]
pub(super) struct Burst {
    left: u32,
    refilled: Instant,
}

impl Burst {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            refilled: now,
        }
    }

    /// Reports whether the marks of this swap are written immediately.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.refilled);
        let refill = u32::try_from(passed.as_millis() / BURST_REFILL.as_millis()).unwrap_or(BURST);
        if refill > 0 {
            self.left = self.left.saturating_add(refill).min(BURST);
            self.refilled = now;
        }
        let takes = self.left > 0;
        self.left -= u32::from(takes);
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configuration_is_written_within_a_second_and_endpoints_alone_within_half_a_minute() {
        let start = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.due(), None);
        pace.changed(start, true);
        assert_eq!(pace.due(), Some(start));
        pace.written(start);
        pace.changed(start, true);
        assert_eq!(pace.due(), Some(start + ENDPOINTS_EVERY));
        pace.changed(start, false);
        assert_eq!(pace.due(), Some(start + CONFIG_EVERY));
        pace.changed(start, true);
        assert_eq!(pace.due(), Some(start + CONFIG_EVERY));
        let later = start + Duration::from_secs(9);
        pace.written(start + CONFIG_EVERY);
        pace.changed(later, false);
        assert_eq!(pace.due(), Some(later));
    }

    #[test]
    fn the_first_swaps_are_remembered_at_once_and_a_flood_of_them_once_a_second() {
        let start = Instant::now();
        let mut burst = Burst::new(start);
        let at_once = |burst: &mut Burst, now| (0..20).filter(|_| burst.take(now)).count();
        assert_eq!(at_once(&mut burst, start), 8);
        assert_eq!(at_once(&mut burst, start + Duration::from_millis(900)), 0);
        assert_eq!(at_once(&mut burst, start + Duration::from_secs(1)), 1);
        assert_eq!(at_once(&mut burst, start + Duration::from_secs(60)), 8);
    }

    #[test]
    fn a_write_that_failed_is_tried_again() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.changed(start, false);
        pace.failed(start);
        assert_eq!(pace.due(), Some(start + RETRY_AFTER));
    }
}
