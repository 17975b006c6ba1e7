//! The index of hosts.

use std::sync::Arc;

use crate::model::HostPattern;
use crate::persistent_map::PersistentMap;

#[cfg(test)]
mod tests;

/// Finds the entry for a host: the exact name, else the longest matching `*.suffix`, else the catch-all. Cheap to clone; a change copies
/// one shard.
#[derive(Clone, Debug)]
pub struct HostIndex<V> {
    exact: PersistentMap<Arc<str>, V>,
    suffixes: PersistentMap<Arc<str>, V>,
    catch_all: Option<V>,
}

impl<V> Default for HostIndex<V> {
    fn default() -> Self {
        Self {
            exact: PersistentMap::default(),
            suffixes: PersistentMap::default(),
            catch_all: None,
        }
    }
}

impl<V: Clone> HostIndex<V> {
    /// Returns the entry for a host, which must be normalised ([`super::normalise_host`]). Does not allocate.
    pub fn lookup(&self, host: &str) -> Option<&V> {
        self.exact
            .get(host)
            .or_else(|| self.below(host))
            .or(self.catch_all.as_ref())
    }

    /// Returns the entry of the longest suffix above the host. A suffix does not match its own name.
    fn below(&self, host: &str) -> Option<&V> {
        // Addresses have no parent names.
        if self.suffixes.is_empty() || host.starts_with('[') {
            return None;
        }
        let mut rest = host;
        while let Some((_, above)) = rest.split_once('.') {
            if let Some(found) = self.suffixes.get(above) {
                return Some(found);
            }
            rest = above;
        }
        None
    }

    /// Returns the entry of exactly this pattern.
    pub fn get(&self, pattern: &HostPattern) -> Option<&V> {
        match pattern {
            HostPattern::Exact(name) => self.exact.get(name),
            HostPattern::Suffix(name) => self.suffixes.get(name),
            HostPattern::CatchAll => self.catch_all.as_ref(),
        }
    }

    /// Inserts a value and returns the previous one.
    pub fn insert(&mut self, pattern: &HostPattern, value: V) -> Option<V> {
        match pattern {
            HostPattern::Exact(name) => self.exact.insert(Arc::clone(name), value),
            HostPattern::Suffix(name) => self.suffixes.insert(Arc::clone(name), value),
            HostPattern::CatchAll => self.catch_all.replace(value),
        }
    }

    /// Removes a value and returns it.
    pub fn remove(&mut self, pattern: &HostPattern) -> Option<V> {
        match pattern {
            HostPattern::Exact(name) => self.exact.remove(name),
            HostPattern::Suffix(name) => self.suffixes.remove(name),
            HostPattern::CatchAll => self.catch_all.take(),
        }
    }

    /// Returns the number of patterns.
    pub fn len(&self) -> usize {
        self.exact.len() + self.suffixes.len() + usize::from(self.catch_all.is_some())
    }

    /// Reports whether there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns all values, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        let exact = self.exact.iter().map(|(_, value)| value);
        let suffixes = self.suffixes.iter().map(|(_, value)| value);
        exact.chain(suffixes).chain(self.catch_all.as_ref())
    }
}
