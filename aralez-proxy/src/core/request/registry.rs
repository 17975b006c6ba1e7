//! State that outlives tables, keyed by its owner: a pool's round-robin position, an endpoint's running requests and its rest.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use aralez_proto::model::{EndpointAddress, PoolName};
use foldhash::fast::RandomState;

use crate::core::request::rest::Rest;

#[cfg(test)]
mod tests;

/// The states of pools, by name. Tables hold the states, so requests look nothing up, and a state that no table holds is freed.
#[derive(Debug, Default)]
pub struct Registry(Mutex<WeakMap<PoolName, PoolState>>);

impl Registry {
    /// Returns the state of a pool, and creates it if necessary.
    pub fn pool(&self, pool: &PoolName) -> Arc<PoolState> {
        self.0.lock().get(pool)
    }
}

/// A pool's round-robin position, that of the split that it is the first pool of, and the loads of the pool's endpoints.
///
/// Together with the two counts of its `Arc` this fills a cache line, as [`Load`] does: every request writes both, and a neighbour on the
/// same line would suffer false sharing. Blocks of this size start at a cache line anyway; an explicit alignment would cost three times the
/// memory, and there is one for each endpoint.
#[derive(Debug, Default)]
pub struct PoolState {
    turn: AtomicU64,
    /// Sorted by address; some may be dropped already.
    loads: Mutex<Vec<(EndpointAddress, Weak<Load>)>>,
    /// The position of the split whose first pool this is.
    split_turn: AtomicU64,
}

impl PoolState {
    /// Takes a turn of the round robin. Returns its number.
    pub fn take_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes a turn of the split whose first pool this is. Returns its number.
    pub fn take_split_turn(&self) -> u64 {
        self.split_turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns the loads of these endpoints, in order. The addresses must be distinct.
    pub fn loads<'a>(
        self: &Arc<Self>,
        addresses: impl ExactSizeIterator<Item = &'a EndpointAddress>,
    ) -> Vec<Arc<Load>> {
        let mut kept = self.loads.lock();
        kept.retain(|(_, load)| load.strong_count() > 0);
        let known = kept.len();
        kept.reserve_exact(addresses.len().saturating_sub(known));
        let mut load = |address: &EndpointAddress| {
            let at = kept[..known].binary_search_by(|(known, _)| known.cmp(address));
            if let Some(load) = at.ok().and_then(|at| kept[at].1.upgrade()) {
                return load;
            }
            let load = Arc::new(Load::of(Arc::clone(self)));
            match at {
                Ok(at) => kept[at].1 = Arc::downgrade(&load),
                Err(_) => kept.push((address.clone(), Arc::downgrade(&load))),
            }
            load
        };
        let loads = addresses.map(&mut load).collect();
        kept.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        loads
    }
}

/// The running requests of an endpoint, and its rest.
#[derive(Debug)]
pub struct Load {
    active: AtomicU64,
    rest: Rest,
    /// Keeps the pool's state while requests run, even if the pool is removed: it may be added again before they finish.
    _pool: Arc<PoolState>,
    _apart: [u64; 3],
}

impl Load {
    fn of(pool: Arc<PoolState>) -> Self {
        Self {
            active: AtomicU64::new(0),
            rest: Rest::default(),
            _pool: pool,
            _apart: Default::default(),
        }
    }

    /// Returns the number of requests running on the endpoint.
    pub fn active(&self) -> u64 {
        self.active.load(Ordering::Relaxed)
    }

    /// Returns the endpoint's rest after failed connects.
    pub const fn rest(&self) -> &Rest {
        &self.rest
    }

    /// Counts a running request until the returned guard is dropped.
    pub fn begin(self: &Arc<Self>) -> Running {
        self.active.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }
}

/// A running request of an endpoint, counted until it is dropped.
#[derive(Debug)]
pub struct Running(Arc<Load>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Values by key, for as long as others hold them.
#[derive(Debug)]
struct WeakMap<K, V> {
    kept: HashMap<K, Weak<V>, RandomState>,
    /// The size at which dropped values are removed. It doubles with the map, so that removal costs amortised constant time per entry.
    sweep_at: usize,
}

impl<K, V> Default for WeakMap<K, V> {
    fn default() -> Self {
        Self {
            kept: HashMap::default(),
            sweep_at: Self::SMALL,
        }
    }
}

impl<K, V> WeakMap<K, V> {
    const SMALL: usize = 64;
}

impl<K: Hash + Eq + Clone, V: Default> WeakMap<K, V> {
    fn get(&mut self, key: &K) -> Arc<V> {
        if self.kept.len() >= self.sweep_at {
            self.kept.retain(|_, value| value.strong_count() > 0);
            self.sweep_at = Self::SMALL.max(2 * self.kept.len());
        }
        let kept = self.kept.entry(key.clone()).or_default();
        kept.upgrade().unwrap_or_else(|| {
            let value = Arc::default();
            *kept = Arc::downgrade(&value);
            value
        })
    }
}
