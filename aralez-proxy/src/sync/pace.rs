//! When an accepted snapshot is written: configuration at most once a second, endpoints alone every 30 s.

use std::time::{Duration, Instant};

const CONFIG_EVERY: Duration = Duration::from_secs(1);
const ENDPOINTS_EVERY: Duration = Duration::from_secs(30);
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// When the next write is due.
#[derive(Debug, Default)]
pub(super) struct Pace {
    written: Option<Instant>,
    due: Option<Instant>,
}

impl Pace {
    /// Another snapshot serves; `endpoints_only`: it differs in nothing else from the one before.
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

    /// When the write is due; `None` where nothing waits to be written.
    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
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
    fn a_write_that_failed_is_tried_again() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.changed(start, false);
        pace.failed(start);
        assert_eq!(pace.due(), Some(start + RETRY_AFTER));
    }
}
