//! The index of hosts.

use std::sync::Arc;

use crate::model::HostPattern;
use crate::persistent_map::PersistentMap;

#[cfg(test)]
mod tests;

/// Finds what belongs to a host: the exact name, else the longest `*.suffix` above it, else the catch-all.
/// Cheap to copy; a change costs one shard.
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
    /// What belongs to a host, which must be normalised ([`super::normalise_host`]). Does not allocate.
    pub fn lookup(&self, host: &str) -> Option<&V> {
        self.exact
            .get(host)
            .or_else(|| self.below(host))
            .or(self.catch_all.as_ref())
    }

    /// The longest suffix that stands above the host; a suffix does not stand above itself.
    fn below(&self, host: &str) -> Option<&V> {
        // An address has no names above it.
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

    /// What stands at a pattern itself.
    pub fn get(&self, pattern: &HostPattern) -> Option<&V> {
        match pattern {
            HostPattern::Exact(name) => self.exact.get(name),
            HostPattern::Suffix(name) => self.suffixes.get(name),
            HostPattern::CatchAll => self.catch_all.as_ref(),
        }
    }

    /// Puts a value and gives back the one that was there.
    pub fn insert(&mut self, pattern: &HostPattern, value: V) -> Option<V> {
        match pattern {
            HostPattern::Exact(name) => self.exact.insert(Arc::clone(name), value),
            HostPattern::Suffix(name) => self.suffixes.insert(Arc::clone(name), value),
            HostPattern::CatchAll => self.catch_all.replace(value),
        }
    }

    /// Takes a value out.
    pub fn remove(&mut self, pattern: &HostPattern) -> Option<V> {
        match pattern {
            HostPattern::Exact(name) => self.exact.remove(name),
            HostPattern::Suffix(name) => self.suffixes.remove(name),
            HostPattern::CatchAll => self.catch_all.take(),
        }
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.suffixes.len() + usize::from(self.catch_all.is_some())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values, in no particular order.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        let exact = self.exact.iter().map(|(_, value)| value);
        let suffixes = self.suffixes.iter().map(|(_, value)| value);
        exact.chain(suffixes).chain(self.catch_all.as_ref())
    }
}
