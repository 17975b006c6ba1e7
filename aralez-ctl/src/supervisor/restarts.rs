//! Restart policy for daemons. Pure.

use std::time::Duration;

use aralez_runtime::supervised::ProcessExit;

/// Exit codes of a daemon that cannot run in its environment: a port in use, wrong usage.
const CANNOT_RUN: [i32; 2] = [1, 2];
/// A daemon that ran this long had started properly.
const SETTLED: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// The reaction to the exit of a daemon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Its first exit code means that it cannot run here.
    GiveUp,
    /// Start it again after this pause.
    After(Duration),
}

/// Exit history of one daemon.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restarts {
    ends: u32,
    /// Consecutive exits of processes that had not settled.
    unsettled: u32,
}

impl Restarts {
    /// Records that the daemon exited with `code` (`None` if a signal killed it) after running for `ran`.
    pub(super) fn after(&mut self, code: Option<i32>, ran: Duration) -> Next {
        let first = self.ends == 0;
        self.ends = self.ends.saturating_add(1);
        if ran >= SETTLED {
            self.unsettled = 0;
        } else if first && code.is_some_and(|code| CANNOT_RUN.contains(&code)) {
            // Trying again would only repeat the message. After a panic (101) it helps: the configuration may be at fault, and is left out
            // after some tries.
            return Next::GiveUp;
        }
        let doubled = SHORTEST.saturating_mul(1 << self.unsettled.min(16));
        self.unsettled = self.unsettled.saturating_add(1);
        Next::After(doubled.min(LONGEST))
    }
}

/// Returns the exit to report to the next process: the last one, unless that process could not run at all. Then the earlier exit still
/// counts, since no process has learned of it.
pub(super) fn told_next(
    before: Option<ProcessExit>,
    exit: Option<ProcessExit>,
) -> Option<ProcessExit> {
    match exit {
        Some(ProcessExit::Code(code)) if CANNOT_RUN.contains(&code) => before.or(exit),
        exit => exit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_that_panics_at_its_first_start_is_started_again() {
        let next = Restarts::default().after(Some(101), SOON);
        assert_eq!(next, Next::After(SHORTEST));
    }

    #[test]
    fn the_next_start_is_told_of_the_last_exit_of_a_process_that_ran() {
        let crash = Some(ProcessExit::Signal(11));
        let killed = Some(ProcessExit::Signal(9));
        let port_taken = Some(ProcessExit::Code(1));
        assert_eq!(told_next(None, crash), crash);
        assert_eq!(told_next(crash, killed), killed);
        assert_eq!(told_next(crash, port_taken), crash);
        assert_eq!(told_next(None, port_taken), port_taken);
    }

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
