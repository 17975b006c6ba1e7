//! A map that is cheap to clone and cheap to change: 256 shards behind `Arc`s, of which a change copies one.
//!
//! Snapshots and tables are immutable, and each differs little from the one before. Sharing the unchanged shards makes the cost of an
//! update proportional to the change instead of the configuration.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// Faster than the hasher of the standard library, and seeded randomly per process. Clients only look keys up and never insert any, so they
/// cannot flood the map with colliding keys.
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
    // Bits from the middle: the inner maps use the lowest and the highest bits of the same hash.
    (hasher.hash_one(key) >> 32) as usize % SHARDS
}

impl<K: Hash + Eq + Clone, V: Clone> PersistentMap<K, V> {
    fn shard_of<Q: Hash + ?Sized>(&self, key: &Q) -> usize {
        shard_of(&self.hasher, key)
    }

    /// Returns the value under `key`.
    pub fn get<Q>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.shards[self.shard_of(key)].get(key)
    }

    /// Inserts a value and returns the previous one.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let shard = self.shard_of(&key);
        let before = Arc::make_mut(&mut self.shards[shard]).insert(key, value);
        self.len += usize::from(before.is_none());
        before
    }

    /// Changes the value under `key`, inserting the default first if there is none. Looks the key up once.
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

    /// Returns an empty batch for [`PersistentMap::change_all`] of this map and its clones.
    pub fn batch<T>(&self) -> Batch<K, T> {
        Batch::new(self.hasher.clone())
    }

    /// Like [`PersistentMap::change`] for each entry of a batch, but cheaper for many entries.
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

    /// Removes a value and returns it.
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

    /// Returns a map of the values that `make` returns, under the same keys; a key is left out if it returns `None`. Cheaper than inserting
    /// one by one: each shard is allocated at its size, and shards are visited one at a time.
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

    /// Returns the number of entries.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Reports whether there are no entries.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns all entries, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }
}
