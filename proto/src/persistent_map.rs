//! A map that is cheap to copy and cheap to change: 256 shards behind `Arc`s, of which a change copies one.
//!
//! Snapshots and tables are immutable and follow each other with small differences. Sharing what did not change is what keeps the cost of
//! an update in the order of the change instead of the order of the configuration.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// Quicker than that of the standard library, and drawn anew in each process. Who may ask cannot put anything in, so no flood of keys
/// that collide can be made by asking.
use foldhash::fast::RandomState;

mod batch;
#[cfg(test)]
mod tests;

pub use batch::Batch;

const SHARDS: usize = 256;

/// A persistent hash map. Cloning shares all shards; changing copies the shard that holds the key.
#[derive(Clone, Debug)]
pub struct PersistentMap<K, V> {
    hasher: RandomState,
    shards: Box<[Arc<HashMap<K, V, RandomState>>]>,
    len: usize,
}

impl<K, V> Default for PersistentMap<K, V> {
    fn default() -> Self {
        let hasher = RandomState::default();
        let empty = Arc::new(HashMap::with_hasher(hasher.clone()));
        Self {
            hasher,
            shards: vec![empty; SHARDS].into_boxed_slice(),
            len: 0,
        }
    }
}

fn shard_of<Q: Hash + ?Sized>(hasher: &RandomState, key: &Q) -> usize {
    // Bits from the middle: the maps inside use the lowest and the highest ones of the same hash.
    (hasher.hash_one(key) >> 32) as usize % SHARDS
}

impl<K: Hash + Eq + Clone, V: Clone> PersistentMap<K, V> {
    fn shard_of<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        shard_of(&self.hasher, key)
    }

    /// The value under `key`.
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shards[self.shard_of(key)].get(key)
    }

    /// Puts a value and gives back the one that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let shard = self.shard_of(&key);
        let before = Arc::make_mut(&mut self.shards[shard]).insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }

    /// Changes the value under `key`, which is made where there is none. Looks the key up once.
    pub fn change<R>(&mut self, key: K, change: impl FnOnce(&mut V) -> R) -> R
    where
        V: Default,
    {
        let shard = self.shard_of(&key);
        let shard = Arc::make_mut(&mut self.shards[shard]);
        let before = shard.len();
        let result = change(shard.entry(key).or_default());
        self.len += shard.len() - before;
        result
    }

    /// A batch for [`PersistentMap::change_all`] of this map and its copies.
    pub fn batch<T>(&self) -> Batch<K, T> {
        Batch::new(self.hasher.clone())
    }

    /// As [`PersistentMap::change`] for each of a batch. Of many, that costs less than one after the other.
    pub fn change_all<T>(&mut self, batch: Batch<K, T>, mut change: impl FnMut(&mut V, T))
    where
        V: Default,
    {
        for (shard, changes) in self.shards.iter_mut().zip(batch.into_shards()) {
            if changes.is_empty() {
                continue;
            }
            let shard = Arc::make_mut(shard);
            let before = shard.len();
            for (key, with) in changes {
                change(shard.entry(key).or_default(), with);
            }
            self.len += shard.len() - before;
        }
    }

    /// Takes a value out.
    pub fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let shard = self.shard_of(key);
        if !self.shards[shard].contains_key(key) {
            return None;
        }
        let before = Arc::make_mut(&mut self.shards[shard]).remove(key);
        self.len -= usize::from(before.is_some());
        before
    }

    /// Other values under the same keys; a key is left out where there is none. Costs less than putting one after the other: each shard
    /// is made in its size, and no other is looked at meanwhile.
    pub fn filter_map<W>(&self, mut make: impl FnMut(&K, &V) -> Option<W>) -> PersistentMap<K, W> {
        let mut len = 0;
        let mut shard = |shard: &Arc<HashMap<K, V, RandomState>>| {
            let mut made = HashMap::with_capacity_and_hasher(shard.len(), self.hasher.clone());
            let values = shard.iter();
            made.extend(values.filter_map(|(key, value)| Some((key.clone(), make(key, value)?))));
            len += made.len();
            Arc::new(made)
        };
        PersistentMap {
            shards: self.shards.iter().map(&mut shard).collect(),
            hasher: self.hasher.clone(),
            len,
        }
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }
}
