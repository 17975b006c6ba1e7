//! `x4xx_limit`: how many responses of a kind a client was sent within the last second, at any moment.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use aralez_decision::limits::ErrorLimit;

/// The time within which responses count, in milliseconds.
const WINDOW_MS: u64 = ErrorLimit::WINDOW.as_millis() as u64;

/// The responses of the last second, by the millisecond in which they were sent: at most 1,000 entries.
#[derive(Debug, Default)]
pub(super) struct ErrorWindow {
    /// Ascending by millisecond.
    counts: VecDeque<(u64, u32)>,
    total: u64,
}

impl ErrorWindow {
    /// Counts a response. `now` is the time since any fixed moment.
    pub(super) fn count(&mut self, now: Duration) {
        self.forget(now);
        let now = millis(now);
        self.total += 1;
        match self.counts.back_mut() {
            // A thread whose time is slightly behind counts for the newest millisecond.
            Some((newest, count)) if *newest >= now => *count = count.saturating_add(1),
            _ => self.counts.push_back((now, 1)),
        }
    }

    /// Returns the time until no more than `most` responses are within the window. `None` if that is so now.
    pub(super) fn wait(&mut self, most: NonZeroU32, now: Duration) -> Option<Duration> {
        self.forget(now);
        let mut excess = self
            .total
            .checked_sub(most.get().into())
            .filter(|excess| *excess > 0)?;
        for (sent, count) in &self.counts {
            excess = excess.saturating_sub((*count).into());
            if excess == 0 {
                let left = (*sent + WINDOW_MS).saturating_sub(millis(now));
                return Some(Duration::from_millis(left));
            }
        }
        None
    }

    /// Reports whether a response is within the window.
    pub(super) fn is_used(&mut self, now: Duration) -> bool {
        self.forget(now);
        self.total > 0
    }

    fn forget(&mut self, now: Duration) {
        let now = millis(now);
        while let Some((sent, count)) = self.counts.front()
            && sent + WINDOW_MS <= now
        {
            self.total = self.total.saturating_sub((*count).into());
            self.counts.pop_front();
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// C10, R17: the window slides, so a client is refused if and only if more than the limit lie within the last second.
        #[test]
        fn it_agrees_with_a_log_of_all_responses(
            steps in prop::collection::vec((0_u64..400, any::<bool>()), 1..200),
            most in 1_u32..8,
        ) {
            let most = NonZeroU32::new(most).unwrap();
            let (mut window, mut log, mut now) = (ErrorWindow::default(), Vec::new(), 0_u64);
            for (pause, counts) in steps {
                now += pause;
                let time = Duration::from_millis(now);
                if counts {
                    window.count(time);
                    log.push(now);
                }
                let within = |at: u64| log.iter().filter(|sent| at < **sent + 1_000).count();
                let over = |at: u64| within(at) > most.get() as usize;
                match window.wait(most, time) {
                    None => prop_assert!(!over(now)),
                    Some(wait) => {
                        let after = now + wait.as_millis() as u64;
                        prop_assert!(over(after - 1) && !over(after), "{now} {after} {log:?}");
                    }
                }
                prop_assert_eq!(window.is_used(time), within(now) > 0);
            }
        }
    }

    #[test]
    fn any_number_of_responses_takes_at_most_an_entry_per_millisecond() {
        let mut window = ErrorWindow::default();
        for count in 0..200_000_u64 {
            window.count(Duration::from_micros(count * 25));
        }
        assert!(window.counts.len() <= 1_000, "{}", window.counts.len());
    }
}
