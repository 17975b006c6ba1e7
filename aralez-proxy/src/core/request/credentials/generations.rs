//! A map of bounded size that forgets what was not used for the longest time, roughly, at no cost per lookup.

use std::hash::Hash;

use std::collections::HashMap;

/// Two generations. When the young one is full, it becomes the old one, and the old one is forgotten.
#[derive(Debug)]
pub(super) struct Generations<K, V> {
    young: HashMap<K, V, foldhash::fast::RandomState>,
    old: HashMap<K, V, foldhash::fast::RandomState>,
    /// The most entries of one generation.
    most: usize,
}

impl<K: Copy + Eq + Hash, V: Clone> Generations<K, V> {
    pub(super) fn new(most: usize) -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            most,
        }
    }

    /// Returns a value. One of the old generation becomes young again.
    pub(super) fn get(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.insert(*key, value.clone());
        Some(value)
    }

    pub(super) fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.most && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
