//! The one more try of a suspect content where no control can be asked: a proxy that was alone for long enough tries it by itself.
//!
//! When is drawn, so that the proxies of a fleet that lost its control do not all try at once. Where there is control, it decides.

use std::time::{Duration, Instant};

/// How long a proxy is alone before it tries a suspect content: between these two, drawn.
pub const RETRY_ALONE: (Duration, Duration) =
    (Duration::from_secs(10 * 60), Duration::from_secs(30 * 60));

/// When the next try is due.
#[derive(Debug)]
pub(super) struct OfflineRetry {
    window: (Duration, Duration),
    due: Option<Instant>,
}

impl OfflineRetry {
    pub(super) const fn new(window: (Duration, Duration)) -> Self {
        Self { window, due: None }
    }

    /// Goes on waiting, or stops: `waits` where there is no control and a suspect to try.
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

    /// Whether it is time. The wait begins anew then.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        self.due.take_if(|due| now >= *due).is_some()
    }
}
