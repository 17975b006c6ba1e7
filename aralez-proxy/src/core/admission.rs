//! Connection limits: per process, listener and client. At a limit, the connection that has been idle longest is evicted.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::Instant;

use aralez_proto::client::one_client;

use crate::core::traffic::ConnectionLimit;

pub mod descriptors;
mod idle;
#[cfg(test)]
mod tests;

pub use idle::IdlePlace;
use idle::{EvictionScope, IdleConnections, ListenerId};

/// Maximum numbers of concurrent connections. `None`: no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Most {
    /// For the whole process.
    pub global: Option<usize>,
    /// For each listener.
    pub listener: Option<usize>,
    /// For each client: an IPv4 address, or an IPv6 /64, which a single client has to itself.
    pub address: Option<usize>,
    /// Descriptors for client connections and for the requests on them, one each.
    pub descriptors: Option<usize>,
}

/// Counts connections. One instance per process.
#[derive(Debug)]
pub struct Admission {
    most: Most,
    global: AtomicUsize,
    /// Locked once when a connection opens and once when it closes, never by a request.
    clients: Mutex<HashMap<IpAddr, usize>>,
    idle: IdleConnections,
}

/// Counts the connections of one listener.
#[derive(Debug, Default)]
pub struct ListenerCount {
    count: AtomicUsize,
}

impl ListenerCount {
    /// Returns the counter's address as its id. The counter is behind an `Arc`, so the address is stable while a connection refers to it.
    fn id(&self) -> ListenerId {
        std::ptr::from_ref(self).addr()
    }
}

impl Admission {
    /// Creates the counters with these limits.
    pub fn new(most: Most, now: Instant) -> Self {
        Self {
            most,
            global: AtomicUsize::default(),
            clients: Mutex::default(),
            idle: IdleConnections::new(now),
        }
    }

    /// Admits a connection, which counts until the returned value is dropped. At a limit, the longest idle connection within that limit is
    /// asked to close, and the new one is admitted immediately: both count until the other has closed.
    ///
    /// `in_flight` returns the number of requests being served. It is called only if descriptors may be short.
    ///
    /// # Errors
    /// The exceeded limit, if none of its connections can be evicted.
    pub fn enter(
        self: &Arc<Self>,
        listener: &Arc<ListenerCount>,
        client: IpAddr,
        now: Instant,
        in_flight: impl FnOnce() -> usize,
    ) -> Result<Admitted, ConnectionLimit> {
        let client = one_client(client);
        // On an early return, dropping it undoes the counting.
        let mut admitted = Admitted {
            admission: Arc::clone(self),
            listener: Arc::clone(listener),
            client,
            counted: false,
        };
        let global = self.global.fetch_add(1, Ordering::Relaxed);
        let local = listener.count.fetch_add(1, Ordering::Relaxed);
        let mut room = Room::default();
        if let Some(most) = self.most.address {
            let over = self.with_clients(|clients| {
                let count = clients.entry(client).or_default();
                *count += 1;
                *count > most
            });
            admitted.counted = true;
            if over && !self.make_room(EvictionScope::Client(client), now, &mut room) {
                return Err(ConnectionLimit::Address);
            }
        }
        let id = listener.id();
        let full = self.most.listener.is_some_and(|most| local >= most);
        if full && room.listener != Some(id) {
            room.listener = None;
            if !self.make_room(EvictionScope::Listener(id), now, &mut room) {
                return Err(ConnectionLimit::Listener);
            }
        }
        let full = self.most.global.is_some_and(|most| global >= most);
        if full && !room.made && !self.make_room(EvictionScope::All, now, &mut room) {
            return Err(ConnectionLimit::Global);
        }
        if !room.made && !self.has_descriptors(in_flight, now) {
            return Err(ConnectionLimit::Descriptors);
        }
        Ok(admitted)
    }

    /// Reports whether there are descriptors for a request that has begun and is included in `in_flight`. If they are short, asks the
    /// longest idle connection to close.
    pub fn has_descriptors(&self, in_flight: impl FnOnce() -> usize, now: Instant) -> bool {
        let Some(most) = self.most.descriptors else {
            return true;
        };
        let connections = self.count();
        // If connections use at most half of the descriptors, each may have a request at the same time.
        2 * connections <= most || connections + in_flight() <= most || self.close_longest_idle(now)
    }

    /// Asks the longest idle connection to close, when the system has no descriptor for another one. Returns `false` if none is idle or a
    /// new scan is not due yet.
    pub fn close_longest_idle(&self, now: Instant) -> bool {
        self.idle.close_oldest(EvictionScope::All, now).is_some()
    }

    fn make_room(&self, scope: EvictionScope, now: Instant, room: &mut Room) -> bool {
        let closed = self.idle.close_oldest(scope, now);
        room.made |= closed.is_some();
        room.listener = closed.or(room.listener);
        closed.is_some()
    }

    /// Returns the number of open connections.
    pub fn count(&self) -> usize {
        self.global.load(Ordering::Relaxed)
    }

    fn with_clients<T>(&self, work: impl FnOnce(&mut HashMap<IpAddr, usize>) -> T) -> T {
        work(&mut self.clients.lock())
    }
}

/// The capacity that evictions made for one connection.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    made: bool,
    /// The listener of the last evicted connection.
    listener: Option<ListenerId>,
}

/// An admitted connection.
#[derive(Debug)]
pub struct Admitted {
    admission: Arc<Admission>,
    listener: Arc<ListenerCount>,
    client: IpAddr,
    /// Whether it was counted for its client.
    counted: bool,
}

impl Admitted {
    /// Registers the connection as one that may be evicted while it is idle. `waker` wakes its task.
    pub fn idle_place(&self, waker: Waker) -> IdlePlace {
        IdleConnections::register(&self.admission, self.client, self.listener.id(), waker)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.admission.global.fetch_sub(1, Ordering::Relaxed);
        self.listener.count.fetch_sub(1, Ordering::Relaxed);
        if !self.counted {
            return;
        }
        self.admission.with_clients(|clients| {
            if let Some(count) = clients.get_mut(&self.client) {
                *count -= 1;
                if *count == 0 {
                    clients.remove(&self.client);
                }
            }
        });
    }
}
