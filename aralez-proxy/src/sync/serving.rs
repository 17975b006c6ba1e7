//! Serving time of the running content, for the cache: first whether it proved good, then how much longer it served. Pure.

use std::time::{Duration, Instant};

use aralez_proto::hash::Digest;

use crate::core::sync::trial::PROOF;

/// Interval at which serving time is recorded after the proof: a death loses at most this much of it.
const COUNT_EVERY: Duration = Duration::from_secs(60 * 60);

/// Serving time of the running content.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServingTime {
    root: Digest,
    /// Time up to which it is counted.
    counted: Instant,
    proved: bool,
}

/// An entry for the cache.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Counted {
    /// The content proved good.
    Proved(Digest),
    /// The content served this much longer.
    Longer(Digest, Duration),
}

impl ServingTime {
    pub(super) const fn since(now: Instant, root: Digest) -> Self {
        Self {
            root,
            counted: now,
            proved: false,
        }
    }

    pub(super) const fn root(&self) -> Digest {
        self.root
    }

    /// Returns when the next count is due.
    pub(super) fn due(&self) -> Instant {
        self.counted + if self.proved { COUNT_EVERY } else { PROOF }
    }

    /// Counts up to `now`. `None` if there is nothing to record.
    pub(super) fn count(&mut self, now: Instant) -> Option<Counted> {
        let longer = now.saturating_duration_since(self.counted);
        if !self.proved {
            if longer < PROOF {
                return None;
            }
            self.proved = true;
            self.counted += PROOF;
            return Some(Counted::Proved(self.root));
        }
        // Counted in whole seconds, as it is stored; the remainder is counted next time.
        let longer = Duration::from_secs(longer.as_secs());
        self.counted += longer;
        (!longer.is_zero()).then_some(Counted::Longer(self.root, longer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_proves_good_after_a_minute_and_is_then_counted_every_hour() {
        let (start, root) = (Instant::now(), Digest::from([1; 32]));
        let mut serving = ServingTime::since(start, root);
        assert_eq!(serving.count(start + PROOF / 2), None);
        assert_eq!(serving.due(), start + PROOF);
        let late = start + PROOF + Duration::from_millis(2_500);
        assert_eq!(serving.count(late), Some(Counted::Proved(root)));
        assert_eq!(serving.due(), start + PROOF + COUNT_EVERY);
        let two = Duration::from_secs(2);
        assert_eq!(serving.count(late), Some(Counted::Longer(root, two)));
        assert_eq!(serving.count(late), None);
        assert_eq!(serving.due(), start + PROOF + two + COUNT_EVERY);
    }
}
