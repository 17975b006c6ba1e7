//! Changes on their way into a map.

use std::hash::Hash;

use foldhash::fast::RandomState;

use super::{SHARDS, shard_of};

/// Changes of a map, gathered by shard, so that taking them in looks at one shard after the other: among many entries, each look at
/// another place than the last one is waited for.
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

    /// One more change. Those of one key stay in their order.
    pub fn push(&mut self, key: K, with: T) {
        self.shards[shard_of(&self.hasher, &key)].push((key, with));
    }

    pub(super) fn into_shards(self) -> Vec<Vec<(K, T)>> {
        self.shards
    }
}
