//! State that outlives tables, keyed by what it belongs to: a pool's round-robin position, an endpoint's connections.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use aralez_proto::model::{EndpointAddress, PoolName};
use foldhash::fast::RandomState;

#[cfg(test)]
mod tests;

/// Hands out state by name. Tables hold it, so nothing is looked up while a request runs, and what no table holds goes away.
#[derive(Debug, Default)]
pub struct Registry(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    turns: Shelf<PoolName, Turn>,
    loads: Shelf<(PoolName, EndpointAddress), Load>,
}

impl Registry {
    /// The round-robin position of a pool.
    pub fn turn(&self, pool: &PoolName) -> Arc<Turn> {
        self.with(|kept| kept.turns.get(pool))
    }

    /// The load of each of these endpoints of a pool, in their order.
    pub fn loads(
        &self,
        pool: &PoolName,
        addresses: impl IntoIterator<Item = EndpointAddress>,
    ) -> Vec<Arc<Load>> {
        self.with(|kept| {
            let keys = addresses.into_iter().map(|address| (pool.clone(), address));
            keys.map(|key| kept.loads.get(&key)).collect()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        // A shelf is whole after every step, so a panic elsewhere leaves nothing half done.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What, with the two counts of an `Arc`, fills a cache line: every request writes its turn and its load, and what stands beside them should
/// not wait for that. Of such blocks each begins a line; asking for that would cost three times the memory, and there is one for each
/// endpoint.
type Apart = [u64; 5];

/// Where a pool's round robin stands.
#[derive(Debug, Default)]
pub struct Turn(
    AtomicU64,
    #[allow(dead_code, reason = "keeps others apart")] Apart,
);

impl Turn {
    /// Takes a turn and gives its number.
    pub fn take(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// The number of the turn that comes next.
    pub fn peek(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What an endpoint carries.
#[derive(Debug, Default)]
pub struct Load {
    active: AtomicU64,
    _apart: Apart,
}

impl Load {
    /// Requests that run on the endpoint now.
    pub fn active(&self) -> u64 {
        self.active.load(Ordering::Relaxed)
    }

    /// A request begins; it ends where what is given back is dropped.
    pub fn begin(self: &Arc<Self>) -> Running {
        self.active.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }
}

/// A request that runs on an endpoint.
#[derive(Debug)]
pub struct Running(Arc<Load>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Values by key, for as long as somebody else holds them.
#[derive(Debug)]
struct Shelf<K, V> {
    kept: HashMap<K, Weak<V>, RandomState>,
    /// At this size the shelf is swept, so that sweeping costs a constant per entry.
    sweep_at: usize,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self {
            kept: HashMap::default(),
            sweep_at: Self::SMALL,
        }
    }
}

impl<K, V> Shelf<K, V> {
    const SMALL: usize = 64;
}

impl<K: Hash + Eq + Clone, V: Default> Shelf<K, V> {
    fn get(&mut self, key: &K) -> Arc<V> {
        if let Some(value) = self.kept.get(key).and_then(Weak::upgrade) {
            return value;
        }
        if self.kept.len() >= self.sweep_at {
            self.kept.retain(|_, value| value.strong_count() > 0);
            self.sweep_at = Self::SMALL.max(2 * self.kept.len());
        }
        let value = Arc::default();
        self.kept.insert(key.clone(), Arc::downgrade(&value));
        value
    }
}
