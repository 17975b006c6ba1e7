//! Decides when discovered endpoints are published: removals immediately, additions in batches.
//!
//! A removal is published as soon as it is known, together with everything that waits. Removals in close succession share an update, so
//! that a source that never settles costs each node ten updates a second instead of hundreds.

use std::time::{Duration, Instant};

use crate::core::layers::Urgency;

/// Time without another change after which additions are published.
const QUIET: Duration = Duration::from_millis(100);
/// Maximum time that an addition waits to be published.
const LONGEST: Duration = Duration::from_secs(1);
/// Minimum time between two updates.
const APART: Duration = Duration::from_millis(100);

/// Changes that wait to be published.
#[derive(Clone, Copy, Debug, Default)]
pub struct PendingFindings {
    /// Times of the first and the last unpublished change.
    span: Option<(Instant, Instant)>,
    urgent: bool,
    published: Option<Instant>,
}

impl PendingFindings {
    /// Records a change.
    pub fn changed(&mut self, urgency: Urgency, now: Instant) {
        let first = self.span.map_or(now, |(first, _)| first);
        self.span = Some((first, now));
        self.urgent |= urgency == Urgency::AtOnce;
    }

    /// Returns when to publish; `None` if nothing waits.
    pub fn due(&self) -> Option<Instant> {
        let (first, last) = self.span?;
        let due = match self.urgent {
            true => first,
            false => (last + QUIET).min(first + LONGEST),
        };
        let apart = self.published.map(|published| published + APART);
        Some(apart.map_or(due, |apart| due.max(apart)))
    }

    /// Records that everything was published.
    pub const fn published(&mut self, now: Instant) {
        *self = Self {
            span: None,
            urgent: false,
            published: Some(now),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_removal_goes_out_at_once_and_takes_along_what_waits() {
        let start = Instant::now();
        let mut waiting = PendingFindings::default();
        assert_eq!(waiting.due(), None);
        waiting.changed(Urgency::CanWait, start);
        assert_eq!(waiting.due(), Some(start + QUIET));
        waiting.changed(Urgency::AtOnce, start + millis(30));
        assert!(waiting.due().unwrap() <= start + millis(30));
        waiting.published(start + millis(30));
        assert_eq!(waiting.due(), None);
    }

    #[test]
    fn additions_wait_for_quiet_but_never_longer_than_a_second() {
        let start = Instant::now();
        let mut waiting = PendingFindings::default();
        for step in 0..100 {
            let now = start + millis(step * 50);
            waiting.changed(Urgency::CanWait, now);
            if now < start + LONGEST - QUIET {
                assert_eq!(waiting.due(), Some(now + QUIET));
            } else {
                assert_eq!(waiting.due(), Some(start + LONGEST));
            }
        }
    }

    #[test]
    fn removals_that_never_end_are_ten_updates_a_second() {
        let start = Instant::now();
        let mut waiting = PendingFindings::default();
        let mut updates = 0;
        for step in 0..10_000 {
            let now = start + millis(step);
            waiting.changed(Urgency::AtOnce, now);
            if waiting.due().is_some_and(|due| now >= due) {
                waiting.published(now);
                updates += 1;
            }
        }
        assert_eq!(updates, 100);
    }
}
