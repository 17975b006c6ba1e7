//! Figures: the distribution of times, and the processor time of a process.

use std::time::{Duration, Instant};

use aralez_tests::meter;

/// Distribution of a set of times.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spread {
    /// Number of times.
    pub count: usize,
    /// The median.
    pub p50: Duration,
    /// The 99th percentile.
    pub p99: Duration,
    /// The longest time.
    pub max: Duration,
}

impl Spread {
    /// Computes the distribution of `times`, given in any order.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: f64| {
            let rank = (times.len() as f64 * part).ceil() as usize;
            times.get(rank.max(1) - 1).copied().unwrap_or_default()
        };
        Self {
            count: times.len(),
            p50: at(0.5),
            p99: at(0.99),
            max: at(1.0),
        }
    }

    /// Formats the percentiles for the report.
    pub fn text(&self) -> String {
        format!(
            "p50 {}, p99 {}, max {}",
            millis(self.p50),
            millis(self.p99),
            millis(self.max)
        )
    }
}

/// Formats a time in milliseconds.
pub fn millis(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}

/// Formats a number of bytes in KiB.
pub fn kib(bytes: f64) -> String {
    format!("{:.1} KiB", bytes / 1024.0)
}

/// Processor time of a process, counted from the creation of this value.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pid: u32,
    since: Instant,
    before: Duration,
}

impl Cost {
    /// Starts to count now.
    pub fn of(pid: u32) -> Self {
        Self {
            pid,
            since: Instant::now(),
            before: meter::processor_time(&[pid]),
        }
    }

    /// Returns the processor time used so far.
    pub fn spent(&self) -> Duration {
        meter::processor_time(&[self.pid]).saturating_sub(self.before)
    }

    /// Returns the average processor use so far, in cores.
    pub fn cores(&self) -> f64 {
        self.spent().as_secs_f64() / self.since.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_names_values_that_were_measured() {
        let times = (1..=200).rev().map(Duration::from_millis).collect();
        let spread = Spread::of(times);
        assert_eq!(spread.text(), "p50 100 ms, p99 198 ms, max 200 ms");
        let one = Spread::of(vec![Duration::from_millis(7)]);
        assert_eq!((one.p50, one.p99, one.max), (one.max, one.max, one.max));
        assert_eq!(Spread::of(Vec::new()), Spread::default());
    }
}
