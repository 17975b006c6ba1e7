//! Idle client connections. At a connection limit, the connection that has been idle longest is closed to admit the new client.
//!
//! A connection registers once, when it waits for the first time. From then on a request costs two atomic writes to the connection's own
//! slot. Slots are not kept in order: eviction scans them and keeps the oldest for later evictions. The rate of scans is bounded by their
//! cost, so that a flood of connections cannot trigger one scan each.

use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

/// A scan keeps the longest idle slots for later evictions: one `KEPT_PART`th of the idle ones, but at least `KEPT_LEAST`.
const KEPT_PART: usize = 16;
const KEPT_LEAST: usize = 64;

/// Pause after a scan, per slot: about ten times the cost of checking one slot, so that scans take at most a tenth of the time.
const PAUSE_PER_SLOT: Duration = Duration::from_micros(1);

/// Maximum number of slots checked to evict within one client. These scans keep nothing for later evictions.
const MOST_OF_A_CLIENT: usize = 1_024;

/// The slot's connection is serving a request.
const BUSY: u64 = 0;
/// The slot's connection has been asked to close.
const ASKED: u64 = u64::MAX;

/// The connections that may be evicted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EvictionScope {
    /// All connections.
    All,
    /// The connections of one listener.
    Listener(ListenerId),
    /// The connections of one client.
    Client(IpAddr),
}

/// The listener that accepted a connection.
pub(super) type ListenerId = usize;

/// The slots of all connections that have been idle at least once.
#[derive(Debug)]
pub(super) struct IdleConnections {
    epoch: Instant,
    /// Locked when a connection waits for the first time, when it closes, and on eviction; never by a request.
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    clients: HashMap<IpAddr, Vec<Arc<Slot>>>,
    count: usize,
    queues: Vec<Queue>,
}

/// The unused results of the last scan for a scope, longest idle first, each with the time since which it has been idle.
#[derive(Debug)]
struct Queue {
    scope: EvictionScope,
    oldest: VecDeque<(u64, Weak<Slot>)>,
    next_scan: u64,
}

#[derive(Debug)]
struct Slot {
    /// Microseconds since the epoch, [`BUSY`] or [`ASKED`].
    since: AtomicU64,
    /// Index among the slots of the same client; written under the lock.
    at: AtomicUsize,
    client: IpAddr,
    listener: ListenerId,
    waker: Waker,
}

/// A connection's slot. Dropping it removes the slot.
#[derive(Debug)]
pub struct IdlePlace {
    slot: Arc<Slot>,
    of: Arc<super::Admission>,
}

impl IdlePlace {
    /// Marks the connection idle since `since`. Returns `true` if it has been asked to close.
    pub fn mark_idle(&self, since: Instant) -> bool {
        let since = self.of.idle.micros(since);
        let seen =
            self.slot
                .since
                .compare_exchange(BUSY, since, Ordering::AcqRel, Ordering::Acquire);
        seen == Err(ASKED)
    }

    /// Marks the connection busy. Returns `true` if it has been asked to close, which it should do after its next response.
    pub fn mark_busy(&self) -> bool {
        self.slot.since.swap(BUSY, Ordering::AcqRel) == ASKED
    }
}

impl Drop for IdlePlace {
    fn drop(&mut self) {
        self.slot.since.store(BUSY, Ordering::Release);
        self.of.idle.with(|slots| slots.remove(&self.slot));
    }
}

impl IdleConnections {
    pub(super) fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            slots: Mutex::default(),
        }
    }

    /// Registers a connection as busy. `waker` wakes its task when it is asked to close.
    pub(super) fn register(
        of: &Arc<super::Admission>,
        client: IpAddr,
        listener: ListenerId,
        waker: Waker,
    ) -> IdlePlace {
        let slot = Arc::new(Slot {
            since: AtomicU64::new(BUSY),
            at: AtomicUsize::default(),
            client,
            listener,
            waker,
        });
        of.idle.with(|slots| slots.add(Arc::clone(&slot)));
        IdlePlace {
            slot,
            of: Arc::clone(of),
        }
    }

    /// Asks the longest idle connection within `scope` to close. Returns its listener, or `None` if no connection is idle or a new scan is
    /// not due yet.
    pub(super) fn close_oldest(&self, scope: EvictionScope, now: Instant) -> Option<ListenerId> {
        let now = self.micros(now);
        self.with(|slots| slots.close_oldest(scope, now))
    }

    fn micros(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.epoch).as_micros();
        // 0 is `BUSY`.
        u64::try_from(since).unwrap_or(ASKED - 2) + 1
    }

    fn with<T>(&self, work: impl FnOnce(&mut Slots) -> T) -> T {
        work(&mut self.slots.lock())
    }
}

impl Slots {
    fn add(&mut self, slot: Arc<Slot>) {
        let same = self.clients.entry(slot.client).or_default();
        slot.at.store(same.len(), Ordering::Relaxed);
        same.push(slot);
        self.count += 1;
    }

    fn remove(&mut self, slot: &Slot) {
        let Some(same) = self.clients.get_mut(&slot.client) else {
            return;
        };
        let at = slot.at.load(Ordering::Relaxed);
        if at < same.len() {
            same.swap_remove(at);
            self.count -= 1;
        }
        if let Some(moved) = same.get(at) {
            moved.at.store(at, Ordering::Relaxed);
        }
        if same.is_empty() {
            self.clients.remove(&slot.client);
        }
    }

    fn close_oldest(&mut self, scope: EvictionScope, now: u64) -> Option<ListenerId> {
        if let EvictionScope::Client(client) = scope {
            let same = self.clients.get(&client)?.iter().take(MOST_OF_A_CLIENT);
            let idle = same.filter_map(|slot| Some((slot.idle_since(now)?, slot)));
            let (since, oldest) = idle.min_by_key(|(since, _)| *since)?;
            return oldest.close(since).then_some(oldest.listener);
        }
        let count = self.count;
        let place = self.queue(scope);
        if let Some(listener) = self.queues[place].close_first() {
            return Some(listener);
        }
        if now < self.queues[place].next_scan {
            return None;
        }
        let found = self.scan(scope, now);
        let queue = &mut self.queues[place];
        queue.oldest = found;
        let rest = PAUSE_PER_SLOT.as_micros() as u64 * count as u64;
        queue.next_scan = now.saturating_add(rest);
        queue.close_first()
    }

    fn queue(&mut self, scope: EvictionScope) -> usize {
        let known = self.queues.iter().position(|queue| queue.scope == scope);
        known.unwrap_or_else(|| {
            self.queues.push(Queue {
                scope,
                oldest: VecDeque::new(),
                next_scan: 0,
            });
            self.queues.len() - 1
        })
    }

    /// Returns the longest idle slots within `scope`, longest first.
    fn scan(&self, scope: EvictionScope, now: u64) -> VecDeque<(u64, Weak<Slot>)> {
        let all = self.clients.values().flatten();
        let mut idle: Vec<(u64, &Arc<Slot>)> = all
            .filter(|slot| {
                scope == EvictionScope::All || scope == EvictionScope::Listener(slot.listener)
            })
            .filter_map(|slot| Some((slot.idle_since(now)?, slot)))
            .collect();
        let kept = (idle.len() / KEPT_PART).max(KEPT_LEAST).min(idle.len());
        if kept < idle.len() {
            idle.select_nth_unstable_by_key(kept, |(since, _)| *since);
            idle.truncate(kept);
        }
        idle.sort_unstable_by_key(|(since, _)| *since);
        idle.into_iter()
            .map(|(since, slot)| (since, Arc::downgrade(slot)))
            .collect()
    }
}

impl Queue {
    fn close_first(&mut self) -> Option<ListenerId> {
        while let Some((since, slot)) = self.oldest.pop_front() {
            if let Some(slot) = slot.upgrade()
                && slot.close(since)
            {
                return Some(slot.listener);
            }
        }
        None
    }
}

impl Slot {
    fn idle_since(&self, now: u64) -> Option<u64> {
        let since = self.since.load(Ordering::Acquire);
        (since != BUSY && since <= now).then_some(since)
    }

    /// Asks the connection to close if it has been idle since exactly `since`.
    fn close(&self, since: u64) -> bool {
        let told = self
            .since
            .compare_exchange(since, ASKED, Ordering::AcqRel, Ordering::Acquire);
        if told.is_ok() {
            self.waker.wake_by_ref();
        }
        told.is_ok()
    }
}
