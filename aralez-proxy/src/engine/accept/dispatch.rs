//! Chooses the thread that serves a connection: the one with the fewest connections.
//!
//! One thread accepts for all. It serves a connection itself unless it is `AHEAD` of another thread. So a client that sends a single
//! request wakes one thread once, however many threads there are, while long-lived connections are spread evenly.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use crate::core::admission::ListenerCount;
use crate::core::request::listener_role::ListenerRole;
use crate::core::traffic::TrafficEvent;
use crate::engine::accept::entry::{self, Incoming};
use crate::engine::shutdown::ShutdownSignal;
use crate::engine::threads::context::ThreadContext;

/// Number of connections that the accepting thread must be ahead of another before it passes one on: passing on wakes that thread.
const AHEAD: usize = 2;

/// A connection assigned to a thread, counted in the load of that thread.
#[derive(Debug)]
pub struct Dispatched<T> {
    connection: T,
    count: ConnectionCount,
}

/// A thread, as the accepting thread sees it.
#[derive(Debug)]
pub struct ThreadHandle<T> {
    /// Number of connections that it serves or that are on their way to it.
    load: Arc<AtomicUsize>,
    inbox: mpsc::UnboundedSender<Dispatched<T>>,
}

impl<T> ThreadHandle<T> {
    /// Creates the handle of a thread, and the receiver for the connections assigned to it.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Dispatched<T>>) {
        let (inbox, arrivals) = mpsc::unbounded_channel();
        let load = Arc::default();
        (Self { load, inbox }, arrivals)
    }

    fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Counts a connection. Called when it is assigned, not when the thread receives it: otherwise a stalled thread would attract every
    /// connection.
    fn count(&self) -> ConnectionCount {
        self.load.fetch_add(1, Ordering::Relaxed);
        ConnectionCount(Arc::clone(&self.load))
    }

    /// Assigns a connection to this thread, or returns it if the thread has died by a panic.
    fn take(&self, connection: T) -> Result<(), T> {
        let count = self.count();
        let given = self.inbox.send(Dispatched { connection, count });
        given.map_err(|mpsc::error::SendError(returned)| returned.connection)
    }
}

/// Assigns a connection to the least busy thread. Returns it if the thread `own` must serve it.
fn give<T>(threads: &[ThreadHandle<T>], own: usize, connection: T) -> Option<Dispatched<T>> {
    let back = match less_busy(threads, own) {
        None => connection,
        // If the chosen thread is gone, the connection must not be lost with it.
        Some(other) => other.take(connection).err()?,
    };
    let count = threads[own].count();
    Some(Dispatched {
        connection: back,
        count,
    })
}

/// Returns the thread with the fewest connections, if the thread `own` is far enough ahead of it.
fn less_busy<T>(threads: &[ThreadHandle<T>], own: usize) -> Option<&ThreadHandle<T>> {
    let limit = threads[own].load().checked_sub(AHEAD)?;
    let open = threads.iter().filter(|thread| !thread.inbox.is_closed());
    open.min_by_key(|thread| thread.load())
        .filter(|least| least.load() <= limit)
}

/// A guard that counts a connection for a thread.
#[derive(Debug)]
struct ConnectionCount(Arc<AtomicUsize>);

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts and serves connections on one thread.
#[derive(Clone, Debug)]
pub struct Acceptor {
    /// The state of this thread.
    pub worker: Arc<ThreadContext>,
    /// The handles of all threads, this one included.
    pub threads: Arc<[ThreadHandle<Incoming>]>,
    /// Index of this thread.
    pub own: usize,
    /// Becomes true when the engine shuts down.
    pub closing: watch::Receiver<bool>,
}

impl Acceptor {
    /// Serves the connections that the accepting thread assigns to this one.
    pub async fn receive(self, mut arrivals: mpsc::UnboundedReceiver<Dispatched<Incoming>>) {
        while let Some(arrival) = arrivals.recv().await {
            self.serve(arrival);
        }
    }

    /// Checks an accepted connection against the limits, and has it served by a thread.
    pub fn admit(
        &self,
        (stream, peer): (TcpStream, SocketAddr),
        count: &Arc<ListenerCount>,
        role: ListenerRole,
    ) {
        let engine = &self.worker.engine;
        let in_flight = || engine.traffic.in_flight();
        let entered = engine
            .admission
            .enter(count, peer.ip(), Instant::now(), in_flight);
        let admitted = match entered {
            Ok(admitted) => admitted,
            Err(limit) => return self.worker.tally.connections.turn_away(limit),
        };
        self.worker.tally.event(TrafficEvent::Accepted);
        let arrival = Incoming {
            stream,
            peer,
            role,
            admitted,
            arriving: engine.traffic.arriving(),
        };
        if let Some(own) = give(&self.threads, self.own, arrival) {
            self.serve(own);
        }
    }

    fn serve(&self, arrival: Dispatched<Incoming>) {
        let Dispatched { connection, count } = arrival;
        let (worker, closing) = (Arc::clone(&self.worker), self.closing.clone());
        // Call `serve` inside the block: a captured future that is awaited is stored twice for the life of the connection.
        tokio::spawn(async move {
            let _here = count;
            entry::serve(connection, worker, ShutdownSignal::new(closing)).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_counts_for_its_thread_from_the_moment_it_is_given() {
        let (thread, _inbox) = ThreadHandle::<()>::new();
        let counts = [thread.count(), thread.count()];
        assert_eq!(thread.load(), 2);
        drop(counts);
        assert_eq!(thread.load(), 0);
    }

    #[test]
    fn where_a_thread_is_gone_every_connection_reaches_a_living_one_and_counts_there() {
        for own in [0, 1, 2] {
            let (threads, inboxes): (Vec<_>, Vec<_>) = (0..4).map(|_| ThreadHandle::new()).unzip();
            let mut inboxes: Vec<_> = inboxes.into_iter().map(Some).collect();
            let mut here = Vec::new();
            here.extend((0..AHEAD).filter_map(|number| give(&threads, own, number)));
            inboxes[3] = None;
            here.extend((AHEAD..300).filter_map(|number| give(&threads, own, number)));
            assert_eq!(threads[3].load(), 0, "nobody waits for who is gone");
            let mut served: Vec<_> = here
                .iter()
                .map(|dispatched| dispatched.connection)
                .collect();
            assert_eq!(threads[own].load(), here.len());
            for (inbox, thread) in inboxes.iter_mut().zip(&threads) {
                let Some(inbox) = inbox else { continue };
                let mut given = Vec::new();
                while let Ok(dispatched) = inbox.try_recv() {
                    given.push(dispatched);
                }
                assert!(thread.load().abs_diff(100) <= AHEAD, "{}", thread.load());
                assert!(given.is_empty() || thread.load() == given.len());
                served.extend(given.iter().map(|dispatched| dispatched.connection));
            }
            served.sort_unstable();
            assert_eq!(served, Vec::from_iter(0..300), "each once");
            drop(here);
            assert_eq!(threads.iter().map(ThreadHandle::load).sum::<usize>(), 0);
        }
    }

    #[test]
    fn a_thread_that_goes_while_it_is_given_a_connection_gives_it_back_and_does_not_count_it() {
        let (thread, inbox) = ThreadHandle::new();
        drop(inbox);
        assert_eq!(thread.take("a connection"), Err("a connection"));
        assert_eq!(thread.load(), 0);
    }
}
