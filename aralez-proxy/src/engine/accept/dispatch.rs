//! Which thread serves a connection: the one that has the fewest.
//!
//! One thread accepts for all. It serves a connection itself unless it is `AHEAD` of another thread, so that a client which comes for one
//! request wakes one thread once, however many threads there are, and connections that stay are spread evenly.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use crate::core::admission::ListenerCount;
use crate::core::traffic::TrafficEvent;
use crate::engine::accept::entry::{self, Incoming};
use crate::engine::shutdown::ShutdownSignal;
use crate::engine::threads::context::ThreadContext;

/// By how many connections the accepting thread may be ahead of another before it gives one away: the hop wakes that thread.
const AHEAD: usize = 2;

/// A connection on its way to a thread, counted in the load of that thread.
#[derive(Debug)]
pub struct Dispatched<T> {
    guest: T,
    seat: ConnectionCount,
}

/// One thread as the accepting one sees it.
#[derive(Debug)]
pub struct ThreadHandle<T> {
    /// Connections that it serves or that are on their way to it.
    load: Arc<AtomicUsize>,
    inbox: mpsc::UnboundedSender<Dispatched<T>>,
}

impl<T> ThreadHandle<T> {
    /// A thread, and what is given to it.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Dispatched<T>>) {
        let (inbox, arrivals) = mpsc::unbounded_channel();
        let load = Arc::default();
        (Self { load, inbox }, arrivals)
    }

    fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Taken when a connection is given, not when the thread gets to it: otherwise a thread that does not run attracts every connection.
    fn seat(&self) -> ConnectionCount {
        self.load.fetch_add(1, Ordering::Relaxed);
        ConnectionCount(Arc::clone(&self.load))
    }

    /// Gives it to this thread, and gives it back where the thread ended by a panic.
    fn take(&self, guest: T) -> Result<(), T> {
        let seat = self.seat();
        let given = self.inbox.send(Dispatched { guest, seat });
        given.map_err(|mpsc::error::SendError(returned)| returned.guest)
    }
}

/// Gives it to the thread that has fewest. What comes back is for the own thread to serve.
fn give<T>(desks: &[ThreadHandle<T>], own: usize, guest: T) -> Option<Dispatched<T>> {
    let back = match less_busy(desks, own) {
        None => guest,
        // The connections of a thread that is gone must not be lost with it.
        Some(other) => other.take(guest).err()?,
    };
    let seat = desks[own].seat();
    Some(Dispatched { guest: back, seat })
}

/// The thread with the fewest connections, where the own one is far enough ahead of it.
fn less_busy<T>(desks: &[ThreadHandle<T>], own: usize) -> Option<&ThreadHandle<T>> {
    let limit = desks[own].load().checked_sub(AHEAD)?;
    let open = desks.iter().filter(|desk| !desk.inbox.is_closed());
    open.min_by_key(|desk| desk.load())
        .filter(|least| least.load() <= limit)
}

/// Counts a connection for a thread until it is dropped.
#[derive(Debug)]
struct ConnectionCount(Arc<AtomicUsize>);

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes connections in on one thread.
#[derive(Clone, Debug)]
pub struct Acceptor {
    /// What the thread has for itself.
    pub worker: Arc<ThreadContext>,
    /// All threads, this one among them.
    pub desks: Arc<[ThreadHandle<Incoming>]>,
    /// The index of this one.
    pub own: usize,
    /// Becomes true when the engine closes.
    pub closing: watch::Receiver<bool>,
}

impl Acceptor {
    /// Serves what the accepting thread gives to this one.
    pub async fn receive(self, mut arrivals: mpsc::UnboundedReceiver<Dispatched<Incoming>>) {
        while let Some(arrival) = arrivals.recv().await {
            self.serve(arrival);
        }
    }

    /// Counts an accepted connection against the limits, and has it served.
    pub fn admit(&self, stream: TcpStream, peer: SocketAddr, count: &Arc<ListenerCount>) {
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
            admitted,
            arriving: engine.traffic.arriving(),
        };
        if let Some(own) = give(&self.desks, self.own, arrival) {
            self.serve(own);
        }
    }

    fn serve(&self, arrival: Dispatched<Incoming>) {
        let Dispatched { guest, seat } = arrival;
        let (worker, closing) = (Arc::clone(&self.worker), self.closing.clone());
        // Made inside the block: a captured future that is awaited is stored twice for the life of the connection.
        tokio::spawn(async move {
            let _here = seat;
            entry::serve(guest, worker, ShutdownSignal::new(closing)).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_counts_for_its_thread_from_the_moment_it_is_given() {
        let (desk, _inbox) = ThreadHandle::<()>::new();
        let seats = [desk.seat(), desk.seat()];
        assert_eq!(desk.load(), 2);
        drop(seats);
        assert_eq!(desk.load(), 0);
    }

    #[test]
    fn where_a_thread_is_gone_every_connection_reaches_a_living_one_and_counts_there() {
        for own in [0, 1, 2] {
            let (desks, inboxes): (Vec<_>, Vec<_>) = (0..4).map(|_| ThreadHandle::new()).unzip();
            let mut inboxes: Vec<_> = inboxes.into_iter().map(Some).collect();
            let mut here = Vec::new();
            here.extend((0..AHEAD).filter_map(|number| give(&desks, own, number)));
            inboxes[3] = None;
            here.extend((AHEAD..300).filter_map(|number| give(&desks, own, number)));
            assert_eq!(desks[3].load(), 0, "nobody waits for who is gone");
            let mut served: Vec<_> = here.iter().map(|seated| seated.guest).collect();
            assert_eq!(desks[own].load(), here.len());
            for (inbox, desk) in inboxes.iter_mut().zip(&desks) {
                let Some(inbox) = inbox else { continue };
                let mut given = Vec::new();
                while let Ok(seated) = inbox.try_recv() {
                    given.push(seated);
                }
                assert!(desk.load().abs_diff(100) <= AHEAD, "{}", desk.load());
                assert!(given.is_empty() || desk.load() == given.len());
                served.extend(given.iter().map(|seated| seated.guest));
            }
            served.sort_unstable();
            assert_eq!(served, Vec::from_iter(0..300), "each once");
            drop(here);
            assert_eq!(desks.iter().map(ThreadHandle::load).sum::<usize>(), 0);
        }
    }

    #[test]
    fn a_thread_that_goes_while_it_is_given_a_connection_gives_it_back_and_does_not_count_it() {
        let (desk, inbox) = ThreadHandle::new();
        drop(inbox);
        assert_eq!(desk.take("a connection"), Err("a connection"));
        assert_eq!(desk.load(), 0);
    }
}
