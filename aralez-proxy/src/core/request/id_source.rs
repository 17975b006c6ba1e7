//! New request ids: unique, and without the cost of the kernel's random bytes for each request.

use std::sync::atomic::{AtomicU64, Ordering};

use aralez_decision::trace::NewIds;

/// The odd constant of SplitMix64: its multiples modulo 2^64 do not repeat.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A source of ids. One per thread, so that its counter is never contended.
#[derive(Debug)]
pub struct IdSource {
    /// Random bits of this source. They keep apart the ids of threads and nodes.
    seeds: [u64; 3],
    count: AtomicU64,
}

impl IdSource {
    /// Creates a source from random bits.
    pub const fn new(seeds: [u64; 3]) -> Self {
        Self {
            seeds,
            count: AtomicU64::new(0),
        }
    }

    /// Returns the ids of one more request.
    pub fn next(&self) -> NewIds {
        let steps = self
            .count
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(STEP);
        NewIds::new(self.seeds.map(|seed| mixed(seed.wrapping_add(steps))))
    }
}

/// The output function of SplitMix64: one to one, so different inputs give different ids.
const fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_requests_get_the_same_id() {
        let source = IdSource::new([1, 2, 3]);
        let other = IdSource::new([4, 5, 6]);
        let drawn = (0..10_000).flat_map(|_| [source.next(), other.next()]);
        let ids: HashSet<_> = drawn.map(|ids| (ids.request, ids.span)).collect();
        assert_eq!(ids.len(), 20_000);
    }
}
