//! A state per key, exact up to a bound on the number of keys. Beyond it, new keys share the states of a fixed table, by their hash: memory
//! does not grow, and a client that was not counted before is rather refused too early than never.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::OnceLock;

use aralez_decision::state::LimitKey;
use foldhash::fast::RandomState;
use parking_lot::Mutex;

use crate::core::request::limiter::room::Room;

/// Number of parts with a lock each: a power of two, large enough that threads rarely meet and a sweep holds a lock only briefly.
const SHARDS: usize = 64;

/// Number of shared states: a power of two.
const SHARED: usize = 1 << 16;

/// Spare capacity that a part may keep, as a multiple of its keys.
const SPARE: usize = 4;

type Shard<V> = Mutex<HashMap<LimitKey, V, RandomState>>;

/// A state per key.
#[derive(Debug)]
pub(super) struct KeyedStates<V> {
    shards: Box<[Shard<V>]>,
    /// Created when there is no room for the first time.
    shared: OnceLock<Box<[Mutex<V>]>>,
    /// Seeded at random, so that clients cannot choose keys that collide.
    hasher: RandomState,
    room: Room,
}

impl<V: Default> KeyedStates<V> {
    pub(super) fn new(room: Room) -> Self {
        let hasher = RandomState::default();
        let shard = |_| Mutex::new(HashMap::with_hasher(hasher.clone()));
        Self {
            shards: (0..SHARDS).map(shard).collect(),
            shared: OnceLock::new(),
            hasher,
            room,
        }
    }

    /// Runs `run` with the state of a key, which is created if it is new.
    pub(super) fn with<T>(&self, key: &LimitKey, run: impl FnOnce(&mut V) -> T) -> T {
        let hash = self.hasher.hash_one(key);
        {
            let mut shard = self.shard(hash).lock();
            if let Some(state) = shard.get_mut(key) {
                return run(state);
            }
            if self.room.take() {
                return run(shard.entry(*key).or_default());
            }
        }
        let shared = self
            .shared
            .get_or_init(|| (0..SHARED).map(|_| Mutex::default()).collect());
        run(&mut shared[place(hash)].lock())
    }

    /// Runs `run` with the state of a key. `None` if it has none.
    pub(super) fn find<T>(&self, key: &LimitKey, run: impl FnOnce(&mut V) -> T) -> Option<T> {
        let hash = self.hasher.hash_one(key);
        if let Some(state) = self.shard(hash).lock().get_mut(key) {
            return Some(run(state));
        }
        let shared = self.shared.get()?;
        Some(run(&mut shared[place(hash)].lock()))
    }

    /// Removes the states for which `keep` is false. Shared states stay: their memory is bounded.
    pub(super) fn retain(&self, keep: impl Fn(&mut V) -> bool) {
        for shard in &self.shards {
            let mut shard = shard.lock();
            let before = shard.len();
            shard.retain(|_, state| keep(state));
            self.room.give(before - shard.len());
            let needed = shard.len() * SPARE;
            if shard.capacity() > needed {
                let twice = shard.len() * 2;
                shard.shrink_to(twice);
            }
        }
    }

    /// Returns the number of keys with a state of their own.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn shard(&self, hash: u64) -> &Shard<V> {
        // Bits that neither the map in the shard nor the shared states use.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }
}

/// Returns the index of the shared state for a hash.
fn place(hash: u64) -> usize {
    hash as usize % SHARED
}

impl<V> Drop for KeyedStates<V> {
    fn drop(&mut self) {
        let keys = self.shards.iter_mut().map(|shard| shard.get_mut().len());
        self.room.give(keys.sum());
    }
}
