//! Counters that one thread writes and others read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Adds each counter of `from` to the one at the same index of `to`.
pub(super) fn add_all(to: &[AtomicU64], from: &[AtomicU64]) {
    for (to, from) in to.iter().zip(from) {
        to.fetch_add(load(from), Ordering::Relaxed);
    }
}

/// Increments the counter at this index, if there is one.
pub(super) fn bump(counts: &[AtomicU64], at: usize) {
    if let Some(count) = counts.get(at) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Returns the current value.
pub(super) fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
