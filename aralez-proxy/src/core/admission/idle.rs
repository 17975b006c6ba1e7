//! Connections on which nothing runs, as far as making room needs them: at a limit the one that has been idle longest is closed for the
//! new client.
//!
//! A connection registers once, when it waits for the first time; from then on a request costs two atomic writes to the connection's own
//! slot. Nothing is kept in order: whoever needs room scans the slots and keeps the oldest of them for the next time. Scans are bounded
//! in rate by what they cost, so that a flood of connections cannot buy a scan each.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

/// A scan keeps this part of the slots for the next times, and at least so many.
const KEPT_PART: usize = 16;
const KEPT_LEAST: usize = 64;

/// About ten times what looking at one slot takes: scans take at most a tenth of the time.
const REST_PER_SLOT: Duration = Duration::from_micros(1);

/// The most slots of one client that are looked at: those of one address are searched without being kept for the next time.
const MOST_OF_A_CLIENT: usize = 1_024;

/// A slot's connection is serving a request.
const BUSY: u64 = 0;
/// A slot's connection was told to close.
const TOLD: u64 = u64::MAX;

/// Which connections may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EvictionScope {
    /// Any.
    All,
    /// Those of one listener.
    Listener(ListenerId),
    /// Those of one client.
    Client(IpAddr),
}

/// Which listener a connection came by.
pub(super) type ListenerId = usize;

/// The slots of all connections that have waited.
#[derive(Debug)]
pub(super) struct IdleConnections {
    epoch: Instant,
    /// Taken when a connection waits for the first time, when it ends and when room is needed; never by a request.
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    clients: HashMap<IpAddr, Vec<Arc<Slot>>>,
    count: usize,
    queues: Vec<Queue>,
}

/// What the last scan for a scope found and has not been used: since when each was idle, the longest first.
#[derive(Debug)]
struct Queue {
    scope: EvictionScope,
    oldest: VecDeque<(u64, Weak<Slot>)>,
    next_scan: u64,
}

#[derive(Debug)]
struct Slot {
    /// Microseconds since the epoch, [`BUSY`] or [`TOLD`].
    since: AtomicU64,
    /// The place among those of its client; written under the lock.
    at: AtomicUsize,
    client: IpAddr,
    listener: ListenerId,
    waker: Waker,
}

/// A connection's slot. It is free again when this is dropped.
#[derive(Debug)]
pub struct IdlePlace {
    slot: Arc<Slot>,
    of: Arc<super::Admission>,
}

impl IdlePlace {
    /// Nothing runs on the connection since then. `true`: it was told to close.
    pub fn rest(&self, since: Instant) -> bool {
        let since = self.of.idle.micros(since);
        let seen =
            self.slot
                .since
                .compare_exchange(BUSY, since, Ordering::AcqRel, Ordering::Acquire);
        seen == Err(TOLD)
    }

    /// Something runs on it. `true`: it was told to close, and should do so after its next answer.
    pub fn work(&self) -> bool {
        self.slot.since.swap(BUSY, Ordering::AcqRel) == TOLD
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

    /// A slot for a connection, busy at first. `waker` wakes its task.
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

    /// Tells the connection of this scope that has been idle longest to close; the listener that it came by.
    pub(super) fn close_oldest(&self, scope: EvictionScope, now: Instant) -> Option<ListenerId> {
        let now = self.micros(now);
        self.with(|slots| slots.close_oldest(scope, now))
    }

    fn micros(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.epoch).as_micros();
        // 0 is taken.
        u64::try_from(since).unwrap_or(TOLD - 2) + 1
    }

    fn with<T>(&self, work: impl FnOnce(&mut Slots) -> T) -> T {
        // The slots are whole after every step, so a panic elsewhere leaves nothing half done.
        work(&mut self.slots.lock().unwrap_or_else(PoisonError::into_inner))
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
        let rest = REST_PER_SLOT.as_micros() as u64 * count as u64;
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

    /// Those that have been idle longest, in their order.
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

    /// Tells its connection to close, where it is idle since then.
    fn close(&self, since: u64) -> bool {
        let told = self
            .since
            .compare_exchange(since, TOLD, Ordering::AcqRel, Ordering::Acquire);
        if told.is_ok() {
            self.waker.wake_by_ref();
        }
        told.is_ok()
    }
}
