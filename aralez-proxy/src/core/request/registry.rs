//! State that outlives tables, keyed by what it belongs to: a pool's round-robin position, an endpoint's connections and its rest.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use aralez_proto::model::{EndpointAddress, PoolName};
use foldhash::fast::RandomState;

use crate::core::request::rest::Rest;

#[cfg(test)]
mod tests;

/// Hands out state by name. Tables hold it, so nothing is looked up while a request runs, and what no table holds goes away.
#[derive(Debug, Default)]
pub struct Registry(Mutex<Shelf<PoolName, PoolState>>);

impl Registry {
    /// The state of a pool.
    pub fn pool(&self, pool: &PoolName) -> Arc<PoolState> {
        locked(&self.0).get(pool)
    }
}

/// A lock is held only for what is whole after every step, so a panic elsewhere leaves nothing half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where a pool's round robin stands, and what its endpoints carry.
///
/// With the two counts of an `Arc` it fills a cache line, as [`Load`] does: every request writes both, and what stands beside them should
/// not wait for that. Of such blocks each begins a line; asking for that would cost three times the memory, and there is one for each
/// endpoint.
#[derive(Debug, Default)]
pub struct PoolState {
    turn: AtomicU64,
    /// Ascending by address; some may be gone.
    loads: Mutex<Vec<(EndpointAddress, Weak<Load>)>>,
    _apart: [u64; 1],
}

impl PoolState {
    /// Takes a turn of the round robin and gives its number.
    pub fn take_turn(&self) -> u64 {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// The load of each of these endpoints, in their order. An address must not come twice.
    pub fn loads<'a>(
        self: &Arc<Self>,
        addresses: impl ExactSizeIterator<Item = &'a EndpointAddress>,
    ) -> Vec<Arc<Load>> {
        let mut kept = locked(&self.loads);
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

/// What an endpoint carries, and whether it can be connected to.
#[derive(Debug)]
pub struct Load {
    active: AtomicU64,
    rest: Rest,
    /// Stays for as long as requests run, though the pool has gone meanwhile: it may come back before they end.
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

    /// Requests that run on the endpoint now.
    pub fn active(&self) -> u64 {
        self.active.load(Ordering::Relaxed)
    }

    /// Whether it rests after it could not be connected to.
    pub const fn rest(&self) -> &Rest {
        &self.rest
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
