//! Histograms of durations.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::core::traffic::counter::{add_all, load};

/// A histogram of durations.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    bounds: &'static [f64; N],
    counts: [AtomicU64; N],
    beyond: AtomicU64,
    sum_micros: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    /// Creates an empty histogram with these upper bounds in seconds, ascending.
    pub fn new(bounds: &'static [f64; N]) -> Self {
        Self {
            bounds,
            counts: std::array::from_fn(|_| AtomicU64::default()),
            beyond: AtomicU64::default(),
            sum_micros: AtomicU64::default(),
        }
    }

    /// Counts one duration.
    pub fn observe(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket = self.bounds.iter().position(|bound| seconds <= *bound);
        let count = bucket.map_or(&self.beyond, |at| &self.counts[at]);
        count.fetch_add(1, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum_micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// Adds the counts of `other`.
    pub(super) fn add(&self, other: &Self) {
        add_all(&self.counts, &other.counts);
        self.beyond
            .fetch_add(load(&other.beyond), Ordering::Relaxed);
        self.sum_micros
            .fetch_add(load(&other.sum_micros), Ordering::Relaxed);
    }

    /// Returns each bound with the count of its own bucket (not cumulative), and at the end infinity with the count beyond all bounds.
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let within = self
            .bounds
            .iter()
            .copied()
            .zip(self.counts.iter().map(load));
        within
            .chain(std::iter::once((f64::INFINITY, load(&self.beyond))))
            .collect()
    }

    /// Returns the sum of all durations, in seconds.
    pub fn sum(&self) -> f64 {
        Duration::from_micros(load(&self.sum_micros)).as_secs_f64()
    }
}
