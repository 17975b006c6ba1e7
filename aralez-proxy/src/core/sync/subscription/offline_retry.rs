//! The one more try of a suspect content without control: a proxy that has been alone for long enough tries it on its own.
//!
//! The delay is random, so that the proxies of a fleet that lost its control do not all try at the same time. With control, control
//! decides.

use std::time::{Duration, Instant};

/// Minimum and maximum time without control before a proxy tries a suspect content.
pub const RETRY_ALONE: (Duration, Duration) =
    (Duration::from_secs(10 * 60), Duration::from_secs(30 * 60));

/// The time of the next try.
#[derive(Debug)]
pub(super) struct OfflineRetry {
    window: (Duration, Duration),
    due: Option<Instant>,
}

impl OfflineRetry {
    pub(super) const fn new(window: (Duration, Duration)) -> Self {
        Self { window, due: None }
    }

    /// Continues or stops the wait: `waits` if there is no control and a suspect to try.
    pub(super) fn follow(&mut self, waits: bool, now: Instant, random: f64) {
        if !waits {
            self.due = None;
        } else if self.due.is_none() {
            let (least, most) = self.window;
            let drawn = most.saturating_sub(least).mul_f64(random);
            self.due = Some(now + least + drawn);
        }
    }

    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Returns whether a try is due. If so, the wait starts again.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| now >= *due).is_some()
    }
}
