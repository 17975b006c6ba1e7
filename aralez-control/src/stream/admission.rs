//! Limits how many streams are admitted, and assigns retry windows to the rest.

use std::time::{Duration, Instant};

/// Maximum number of concurrent streams.
const MAX_STREAMS: usize = 16_384;
/// Average interval between two streams.
const INTERVAL: Duration = Duration::from_millis(4);
/// Number of streams that may arrive at the same time.
const BURST: u32 = 256;
/// Maximum delay of an assigned slot: the time in which [`MAX_STREAMS`] streams can reconnect.
const LAST_SLOT: Duration = Duration::from_millis(4 * MAX_STREAMS as u64);
/// Width of a retry window.
const SPREAD: Duration = Duration::from_secs(1);

/// Full resyncs smaller than this are not limited.
const SMALL: u64 = 64 << 10;
/// Maximum total size of the full resyncs in flight, in bytes; a larger one is sent alone.
const FULL_BYTES: u64 = 64 << 20;
/// Total throughput of full resyncs in bytes per second that is assumed until one was measured.
const FULL_RATE: u64 = 16 << 20;
/// Maximum delay assigned to a full resync: nodes that retry too early would otherwise postpone all later slots without bound.
const FULL_WAIT: Duration = Duration::from_mins(10);

/// Admits streams at a bounded rate. Rejected streams receive consecutive retry windows, so that they do not all return at the same time.
#[derive(Debug)]
pub(super) struct Admission {
    open: usize,
    /// Time at which the tokens spent so far are refilled.
    spent_until: Instant,
    /// The slot assigned last.
    promised_until: Instant,
    full: Full,
}

/// Full resyncs in flight. They are large, and a node can wait for one: it keeps serving what it has, or serves nothing yet.
#[derive(Debug)]
struct Full {
    bytes: u64,
    count: u64,
    /// Bytes per second, averaged over recent transfers.
    rate: u64,
    promised_until: Instant,
}

impl Admission {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            open: 0,
            spent_until: now,
            promised_until: now,
            full: Full {
                bytes: 0,
                count: 0,
                rate: FULL_RATE,
                promised_until: now,
            },
        }
    }

    /// Admits a stream, or returns the earliest and latest time after which it may retry.
    pub(super) fn admit(&mut self, now: Instant) -> Result<(), (Duration, Duration)> {
        let spent = self.spent_until.max(now);
        let free_at = (spent + INTERVAL)
            .checked_sub(INTERVAL * BURST)
            .unwrap_or(now);
        if self.open < MAX_STREAMS && free_at <= now {
            self.spent_until = spent + INTERVAL;
            self.open += 1;
            return Ok(());
        }
        let slot = self.promised_until.max(free_at).max(now) + INTERVAL;
        self.promised_until = slot.min(now + LAST_SLOT);
        let wait = self.promised_until.saturating_duration_since(now);
        Err((wait, wait + SPREAD))
    }

    /// Records that an admitted stream closed.
    pub(super) const fn ended(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    /// Admits a complete content of this size, or returns the window in which its node may retry: after the contents before it have been
    /// transferred, at the measured rate.
    pub(super) fn admit_full(
        &mut self,
        bytes: u64,
        now: Instant,
    ) -> Result<(), (Duration, Duration)> {
        let full = &mut self.full;
        if bytes < SMALL || full.bytes == 0 || full.bytes + bytes <= FULL_BYTES {
            full.bytes += bytes;
            full.count += 1;
            return Ok(());
        }
        let takes = |bytes: u64| Duration::from_millis(bytes.saturating_mul(1_000) / full.rate);
        let free = now + takes(full.bytes);
        let slot = full.promised_until.max(free) + takes(bytes);
        full.promised_until = slot.min(now + FULL_WAIT);
        let wait = full.promised_until.saturating_duration_since(now);
        Err((wait, wait + SPREAD))
    }

    /// Records that a complete content was acknowledged after `took`, or that its stream closed without an ACK (`None`), which is no
    /// measure of the rate.
    pub(super) fn full_ended(&mut self, bytes: u64, took: Option<Duration>) {
        let full = &mut self.full;
        let beside = full.count.max(1);
        full.bytes = full.bytes.saturating_sub(bytes);
        full.count = full.count.saturating_sub(1);
        if let Some(took) = took.filter(|_| bytes >= SMALL) {
            let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
            let rate = bytes.saturating_mul(1_000).saturating_mul(beside) / millis;
            full.rate = (full.rate / 4 * 3 + rate / 4).max(SMALL);
        }
    }

    /// Returns the time that all open streams need to reconnect at the bounded rate.
    pub(super) fn time_to_return(&self) -> Duration {
        let open = u32::try_from(self.open).unwrap_or(u32::MAX);
        SPREAD + INTERVAL * open
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F-08: many connects per second.
    #[test]
    fn a_herd_is_let_in_at_the_rate_and_the_rest_gets_slots_one_after_the_other() {
        let start = Instant::now();
        let mut admission = Admission::new(start);
        let mut windows = Vec::new();
        for _ in 0..2_000 {
            if let Err(window) = admission.admit(start) {
                windows.push(window);
            }
        }
        assert_eq!(windows.len(), 2_000 - BURST as usize);
        assert!(windows.is_sorted_by(|left, right| left.0 < right.0));
        let last = windows.last().unwrap();
        assert!(last.0 >= INTERVAL * 1_700, "{last:?}");
        let later = start + last.0;
        assert!(admission.admit(later).is_ok());
    }

    #[test]
    fn complete_contents_pass_in_bounded_number_and_the_rest_comes_back_at_the_rate_that_they_pass()
    {
        let start = Instant::now();
        let mut admission = Admission::new(start);
        let content = 10 << 20;
        let admitted = (0..100).filter(|_| admission.admit_full(content, start).is_ok());
        assert_eq!(admitted.count(), 6);
        let (last, _) = admission.admit_full(content, start).unwrap_err();
        // 95 contents of 10 MiB at 16 MiB a second.
        assert!(
            last > Duration::from_secs(55) && last < Duration::from_secs(70),
            "{last:?}"
        );
        for _ in 0..6 {
            admission.full_ended(content, Some(Duration::from_millis(100)));
        }
        assert!(
            admission.admit_full(100 << 20, start).is_ok(),
            "a large one goes alone"
        );
        assert!(
            admission.admit_full(SMALL - 1, start).is_ok(),
            "a small one is no matter"
        );
        assert!(admission.admit_full(content, start).is_err());
    }

    #[test]
    fn a_storm_that_ignores_its_windows_does_not_push_them_out_without_bound() {
        let start = Instant::now();
        let mut admission = Admission::new(start);
        let content = 10 << 20;
        while admission.admit_full(content, start).is_ok() {}
        for _ in 0..1_000_000 {
            let _ = admission.admit(start);
            let _ = admission.admit_full(content, start);
        }
        let (wait, _) = admission.admit(start).unwrap_err();
        assert!(wait <= LAST_SLOT, "{wait:?}");
        let (wait, _) = admission.admit_full(content, start).unwrap_err();
        assert!(wait <= FULL_WAIT, "{wait:?}");
    }

    #[test]
    fn a_stream_that_dies_at_once_is_not_taken_for_one_that_was_fast() {
        let start = Instant::now();
        let mut admission = Admission::new(start);
        let content = 10 << 20;
        while admission.admit_full(content, start).is_ok() {}
        let before = admission.full.rate;
        for _ in 0..6 {
            admission.full_ended(content, None);
        }
        assert_eq!(admission.full.rate, before);
    }

    #[test]
    fn one_that_comes_alone_is_always_let_in() {
        let start = Instant::now();
        let mut admission = Admission::new(start);
        for second in 0..1_000 {
            let now = start + Duration::from_secs(second);
            assert!(admission.admit(now).is_ok(), "{second}");
            admission.ended();
        }
    }
}
