//! The single place where finished requests are counted.

use crate::core::request::outcome::{Conclusion, Outcome, Reason};
use crate::core::traffic::tally::{Tally, TrafficEvent};

impl Tally {
    /// Counts a finished request.
    pub fn finish(&self, outcome: &Outcome) {
        self.response(outcome.status);
        if let Some(deadline) = outcome.deadline {
            self.connections.deadline(deadline);
        }
        let mut readable = true;
        match outcome.reason {
            Some(Reason::Unreadable(refusal)) => {
                readable = false;
                self.connections.refuse(refusal);
            }
            Some(Reason::Body(refusal)) => self.connections.refuse(refusal),
            Some(Reason::Rejected(rejection)) => self.connections.reject(rejection),
            Some(Reason::Bad(bad)) => self.connections.bad_response(bad),
            Some(Reason::NotConnected | Reason::TooSlow | Reason::IdleTimeout) | None => {}
        }
        if outcome.is_error() {
            self.event(TrafficEvent::Error);
        }
        match outcome.conclusion {
            Conclusion::ClientGone | Conclusion::AnswerLost => self.event(TrafficEvent::ClientGone),
            Conclusion::Truncated => self.event(TrafficEvent::Truncated),
            Conclusion::Aborted if !matches!(outcome.status, 0 | 101) => {
                self.event(TrafficEvent::Truncated);
            }
            _ => {}
        }
        let since = |at: std::time::Instant| at.saturating_duration_since(outcome.started);
        if let Some(responded) = outcome.responded {
            self.response_latency.observe(since(responded));
        }
        if readable {
            self.request_latency.observe(since(outcome.ended));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::core::request::http1::RequestRefusal;
    use crate::core::request::http1::response::BadResponse;
    use crate::core::traffic::Deadline;
    use aralez_decision::rejection::Rejection;

    fn counted(change: impl FnOnce(&mut Outcome)) -> Tally {
        let now = Instant::now();
        let mut outcome = Outcome::begun(now);
        outcome.ended = now + Duration::from_millis(20);
        change(&mut outcome);
        let tally = Tally::default();
        tally.finish(&outcome);
        tally
    }

    /// Returns the counts of errors, clients that went away and truncated responses.
    fn events(tally: &Tally) -> [u64; 3] {
        [
            TrafficEvent::Error,
            TrafficEvent::ClientGone,
            TrafficEvent::Truncated,
        ]
        .map(|event| tally.events(event))
    }

    fn concluded(conclusion: Conclusion) -> [u64; 3] {
        events(&counted(|outcome| outcome.conclusion = conclusion))
    }

    #[test]
    fn a_request_that_ends_well_is_no_error() {
        for conclusion in [
            Conclusion::Relayed { taken: true },
            Conclusion::Relayed { taken: false },
            Conclusion::Answered,
            Conclusion::Tunnelled,
        ] {
            assert_eq!(concluded(conclusion), [0, 0, 0], "{conclusion:?}");
        }
        let rejected = counted(|outcome| {
            outcome.conclusion = Conclusion::Answered;
            outcome.status = 404;
            outcome.reason = Some(Reason::Rejected(Rejection::NoRoute { compat: false }));
        });
        assert_eq!(events(&rejected), [0, 0, 0]);
        assert_eq!(rejected.by_status().collect::<Vec<_>>(), [(404, 1)]);
    }

    #[test]
    fn every_other_end_is_counted_for_what_it_is() {
        assert_eq!(concluded(Conclusion::ClientGone), [1, 1, 0]);
        assert_eq!(concluded(Conclusion::AnswerLost), [0, 1, 0]);
        assert_eq!(concluded(Conclusion::Truncated), [1, 0, 1]);
        assert_eq!(concluded(Conclusion::Aborted), [1, 0, 0]);
        let failed = counted(|outcome| {
            outcome.conclusion = Conclusion::Answered;
            outcome.reason = Some(Reason::Bad(BadResponse::Early));
        });
        assert_eq!(events(&failed), [1, 0, 0]);
        let cut = |status| events(&counted(|outcome| outcome.status = status));
        assert_eq!(cut(200), [1, 0, 1]);
        assert_eq!(cut(101), [1, 0, 0], "a tunnel has no end to miss");
    }

    #[test]
    fn a_request_is_timed_once_and_one_that_could_not_be_read_not_at_all() {
        let timed = counted(|_| {});
        let times = |buckets: Vec<(f64, u64)>| buckets.iter().map(|(_, count)| count).sum::<u64>();
        assert_eq!(times(timed.request_latency.buckets()), 1);
        assert_eq!(times(timed.response_latency.buckets()), 0);
        let unreadable = counted(|outcome| {
            outcome.conclusion = Conclusion::Answered;
            outcome.reason = Some(Reason::Unreadable(RequestRefusal::HeadTimeout));
            outcome.deadline = Some(Deadline::Head);
        });
        assert_eq!(times(unreadable.request_latency.buckets()), 0);
        let of = |all: &mut dyn Iterator<Item = (&'static str, u64)>, name| {
            all.filter(|(own, _)| *own == name)
                .map(|(_, count)| count)
                .sum::<u64>()
        };
        assert_eq!(
            of(&mut unreadable.connections.by_refusal(), "head_timeout"),
            1
        );
        assert_eq!(of(&mut unreadable.connections.by_deadline(), "head"), 1);
    }
}
