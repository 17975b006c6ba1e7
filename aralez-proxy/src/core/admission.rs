//! How many connections are taken, in all and from one client; at a limit, the connection that has been idle longest makes room.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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

/// The most connections at once; `None`: no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Most {
    /// Of the whole process.
    pub global: Option<usize>,
    /// Of one listener.
    pub listener: Option<usize>,
    /// Of one client: an IPv4 address, or the /64 of an IPv6 address, which one client has all to itself.
    pub address: Option<usize>,
    /// Descriptors for connections of clients and for the requests on them, one each.
    pub descriptors: Option<usize>,
}

/// Counts connections. One for the process.
#[derive(Debug)]
pub struct Admission {
    most: Most,
    global: AtomicUsize,
    /// Taken once when a connection begins and once when it ends, never by a request.
    clients: Mutex<HashMap<IpAddr, usize>>,
    idle: IdleConnections,
}

/// Counts the connections of one listener.
#[derive(Debug, Default)]
pub struct ListenerCount {
    count: AtomicUsize,
}

impl ListenerCount {
    /// Its address: it is shared, and stays where it is for as long as a connection counts for it.
    fn id(&self) -> ListenerId {
        std::ptr::from_ref(self).addr()
    }
}

impl Admission {
    /// With these limits, from `now` on.
    pub fn new(most: Most, now: Instant) -> Self {
        Self {
            most,
            global: AtomicUsize::default(),
            clients: Mutex::default(),
            idle: IdleConnections::new(now),
        }
    }

    /// Takes a connection in; it counts until what is given back is dropped. At a limit, the connection within that limit that has been
    /// idle longest is told to close, and the new one takes its place at once: until the other has gone, both count.
    ///
    /// `in_flight` counts the requests that are being served; it is asked where descriptors may be short.
    ///
    /// # Errors
    /// The limit that it is over, where none of its connections is idle.
    pub fn enter(
        self: &Arc<Self>,
        listener: &Arc<ListenerCount>,
        client: IpAddr,
        now: Instant,
        in_flight: impl FnOnce() -> usize,
    ) -> Result<Admitted, ConnectionLimit> {
        let client = one_client(client);
        // Dropped on the way out, it takes back what was counted.
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

    /// Whether there are descriptors for a request that has begun, and is among those `in_flight`. Where they are short, the connection
    /// that has been idle longest is told to close.
    pub fn has_descriptors(&self, in_flight: impl FnOnce() -> usize, now: Instant) -> bool {
        let Some(most) = self.most.descriptors else {
            return true;
        };
        let connections = self.count();
        // With less than half in use all connections may have a request at once.
        2 * connections <= most || connections + in_flight() <= most || self.close_longest_idle(now)
    }

    /// Closes the connection that has been idle longest, where the system has no room for another one. `false`: none is idle.
    pub fn close_longest_idle(&self, now: Instant) -> bool {
        self.idle.close_oldest(EvictionScope::All, now).is_some()
    }

    fn make_room(&self, scope: EvictionScope, now: Instant, room: &mut Room) -> bool {
        let closed = self.idle.close_oldest(scope, now);
        room.made |= closed.is_some();
        room.listener = closed.or(room.listener);
        closed.is_some()
    }

    /// Connections that are there now.
    pub fn count(&self) -> usize {
        self.global.load(Ordering::Relaxed)
    }

    fn with_clients<T>(&self, work: impl FnOnce(&mut HashMap<IpAddr, usize>) -> T) -> T {
        // The counts are whole after every step, so a panic elsewhere leaves nothing half done.
        work(&mut self.clients.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Room that was made for one connection.
#[derive(Clone, Copy, Debug, Default)]
struct Room {
    made: bool,
    /// At this listener.
    listener: Option<ListenerId>,
}

/// A connection that was taken in.
#[derive(Debug)]
pub struct Admitted {
    admission: Arc<Admission>,
    listener: Arc<ListenerCount>,
    client: IpAddr,
    /// It counts for its client.
    counted: bool,
}

impl Admitted {
    /// Makes the connection known as one that may be closed for a new one while it is idle. `waker` wakes its task.
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
