//! Percentiles of times, and their formatting.

use std::time::Duration;

/// Returns a percentile (nearest rank); zero if there are no times.
pub fn rank(times: &[Duration], percent: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() as f64 * percent / 100.0).ceil() as usize;
    sorted
        .get(rank.clamp(1, sorted.len().max(1)) - 1)
        .copied()
        .unwrap_or_default()
}

/// Returns the median (nearest rank); zero if there are no times.
pub fn median(times: &[Duration]) -> Duration {
    rank(times, 50.0)
}

/// Formats a time in milliseconds, or in seconds from one second on.
pub fn words(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 10.0 => format!("{seconds:.1} s"),
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 0.01 => format!("{:.0} ms", seconds * 1e3),
        seconds => format!("{:.2} ms", seconds * 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_times_that_were_seen() {
        let times: Vec<_> = (1..=1000).rev().map(Duration::from_millis).collect();
        assert_eq!(median(&times), Duration::from_millis(500));
        assert_eq!(rank(&times, 99.0), Duration::from_millis(990));
        assert_eq!(rank(&times, 99.9), Duration::from_millis(999));
        assert_eq!(rank(&times[..1], 99.9), times[0]);
        assert_eq!(rank(&[], 99.9), Duration::ZERO);
    }

    #[test]
    fn times_are_told_as_people_read_them() {
        let told = [300, 12_345, 1_234_000, 60_000_000].map(Duration::from_micros);
        assert_eq!(told.map(words), ["0.30 ms", "12 ms", "1.23 s", "60.0 s"]);
    }
}
