//! When a daemon that ended is started again. Pure.

use std::time::Duration;

/// A daemon that ran this long had started properly.
const SETTLED: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// What to do about a daemon that ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// It said by its first exit that it cannot run here.
    GiveUp,
    /// Start it again after this pause.
    After(Duration),
}

/// How one daemon has fared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restarts {
    ends: u32,
    /// Ends in a row without having settled.
    unsettled: u32,
}

impl Restarts {
    /// The daemon ended with `code` (`None`: by a signal) after it `ran` so long.
    pub(super) fn after(&mut self, code: Option<i32>, ran: Duration) -> Next {
        let first = self.ends == 0;
        self.ends = self.ends.saturating_add(1);
        if ran >= SETTLED {
            self.unsettled = 0;
        } else if first && code.is_some_and(|code| code != 0) {
            // A wrong file, a port in use: trying again would only repeat the message.
            return Next::GiveUp;
        }
        let doubled = SHORTEST.saturating_mul(1 << self.unsettled.min(16));
        self.unsettled = self.unsettled.saturating_add(1);
        Next::After(doubled.min(LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(1);
    const LATE: Duration = Duration::from_secs(60);

    #[test]
    fn a_daemon_that_says_it_cannot_start_is_not_tried_again() {
        for code in [1, 2] {
            assert_eq!(Restarts::default().after(Some(code), SOON), Next::GiveUp);
        }
    }

    #[test]
    fn a_killed_daemon_is_started_again_at_once_even_if_it_had_just_begun() {
        assert_eq!(Restarts::default().after(None, SOON), Next::After(SHORTEST));
        assert_eq!(
            Restarts::default().after(Some(0), SOON),
            Next::After(SHORTEST)
        );
        assert_eq!(
            Restarts::default().after(Some(1), LATE),
            Next::After(SHORTEST)
        );
    }

    #[test]
    fn one_that_keeps_ending_is_started_ever_more_slowly_and_never_given_up() {
        let mut restarts = Restarts::default();
        let mut last = Duration::ZERO;
        assert_eq!(restarts.after(None, SOON), Next::After(SHORTEST));
        for _ in 0..100 {
            let Next::After(delay) = restarts.after(Some(1), SOON) else {
                panic!("given up");
            };
            assert!(delay >= last && delay <= LONGEST);
            last = delay;
        }
        assert_eq!(last, LONGEST);
    }

    #[test]
    fn running_for_a_while_makes_good_for_what_was_before() {
        let mut restarts = Restarts::default();
        for _ in 0..10 {
            restarts.after(None, SOON);
        }
        assert_eq!(restarts.after(None, LATE), Next::After(SHORTEST));
    }
}
