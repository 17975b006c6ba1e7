//! A bound on a number of keys, shared by all that count them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Room for a number of keys. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room {
    taken: Arc<AtomicUsize>,
    most: usize,
}

impl Room {
    /// Returns room for `most` keys.
    pub(super) fn of(most: usize) -> Self {
        Self {
            taken: Arc::default(),
            most,
        }
    }

    /// Takes the place of one key. `false` if there is none left.
    pub(super) fn take(&self) -> bool {
        let next = |taken: usize| (taken < self.most).then_some(taken + 1);
        let updated = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        updated.is_ok()
    }

    /// Gives the places of keys back.
    pub(super) fn give(&self, count: usize) {
        self.taken.fetch_sub(count, Ordering::Relaxed);
    }

    /// Returns the number of keys.
    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}
