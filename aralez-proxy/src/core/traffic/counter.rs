//! Counts that one thread makes and others read.

use std::sync::atomic::{AtomicU64, Ordering};

/// Adds counts to others, each to its own.
pub(super) fn add_all(to: &[AtomicU64], from: &[AtomicU64]) {
    for (to, from) in to.iter().zip(from) {
        to.fetch_add(load(from), Ordering::Relaxed);
    }
}

/// Counts one more at this place, if there is one.
pub(super) fn bump(counts: &[AtomicU64], at: usize) {
    if let Some(count) = counts.get(at) {
        count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The count as it is now.
pub(super) fn load(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}
