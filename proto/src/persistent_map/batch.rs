//! Batches of changes to a map.

use std::hash::Hash;

use foldhash::fast::RandomState;

use super::{SHARDS, shard_of};

/// Changes to a map, grouped by shard, so that they are applied shard by shard. In a large map, each jump to another shard is a cache miss.
#[derive(Debug)]
pub struct Batch<K, T> {
    hasher: RandomState,
    shards: Vec<Vec<(K, T)>>,
}

impl<K: Hash, T> Batch<K, T> {
    pub(super) fn new(hasher: RandomState) -> Self {
        Self {
            hasher,
            shards: std::iter::repeat_with(Vec::new).take(SHARDS).collect(),
        }
    }

    /// Adds a change. Changes of one key keep their order.
    pub fn push(&mut self, key: K, with: T) {
        self.shards[shard_of(&self.hasher, &key)].push((key, with));
    }

    pub(super) fn into_shards(self) -> Vec<Vec<(K, T)>> {
        self.shards
    }
}
