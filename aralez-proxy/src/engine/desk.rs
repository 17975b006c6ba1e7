//! Which thread serves a connection: the one that has the fewest.
//!
//! One thread accepts for all. It serves a connection itself unless it is `AHEAD` of another thread, so that a client which comes for one
//! request wakes one thread once, however many threads there are, and connections that stay are spread evenly.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use super::accepted::Accepted;
use super::closing::Closing;
use super::connection::{self, Client};
use super::worker::Worker;
use crate::core::admission::{Admitted, ListenerCount};
use crate::core::traffic::{Arriving, Event};

/// By how many connections the accepting thread may be ahead of another before it gives one away: the hop wakes that thread.
const AHEAD: usize = 2;

/// A connection that was accepted, and the thread whose load it counts for.
#[derive(Debug)]
pub struct Arrival {
    stream: TcpStream,
    peer: SocketAddr,
    admitted: Admitted,
    seat: Seat,
    arriving: Arriving,
}

/// One thread as the accepting one sees it.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Connections that it serves or that are on their way to it.
    load: Arc<AtomicUsize>,
    inbox: mpsc::UnboundedSender<Arrival>,
}

impl Desk {
    /// A thread, and what is given to it.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Arrival>) {
        let (inbox, arrivals) = mpsc::unbounded_channel();
        let load = Arc::default();
        (Self { load, inbox }, arrivals)
    }

    fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }

    /// Taken when a connection is given, not when the thread gets to it: otherwise a thread that does not run attracts every connection.
    fn seat(&self) -> Seat {
        self.load.fetch_add(1, Ordering::Relaxed);
        Seat(Arc::clone(&self.load))
    }
}

/// Counts a connection for a thread until it is dropped.
#[derive(Debug)]
struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes connections in on one thread.
#[derive(Clone, Debug)]
pub struct Reception {
    /// What the thread has for itself.
    pub worker: Arc<Worker>,
    /// All threads, this one among them.
    pub desks: Arc<[Desk]>,
    /// The index of this one.
    pub own: usize,
    /// Becomes true when the engine closes.
    pub closing: watch::Receiver<bool>,
}

impl Reception {
    /// Serves what the accepting thread gives to this one.
    pub async fn receive(self, mut arrivals: mpsc::UnboundedReceiver<Arrival>) {
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
        self.worker.tally.event(Event::Accepted);
        let least = self.less_busy();
        let arrival = Arrival {
            stream,
            peer,
            admitted,
            seat: least.unwrap_or(&self.desks[self.own]).seat(),
            arriving: engine.traffic.arriving(),
        };
        match least {
            None => self.serve(arrival),
            Some(other) => {
                if let Err(mpsc::error::SendError(mut returned)) = other.inbox.send(arrival) {
                    // That thread ended by a panic: its connections must not be lost with it.
                    returned.seat = self.desks[self.own].seat();
                    self.serve(returned);
                }
            }
        }
    }

    /// The thread with the fewest connections, where this one is far enough ahead of it.
    fn less_busy(&self) -> Option<&Desk> {
        let limit = self.desks[self.own].load().checked_sub(AHEAD)?;
        let open = self.desks.iter().filter(|desk| !desk.inbox.is_closed());
        open.min_by_key(|desk| desk.load())
            .filter(|least| least.load() <= limit)
    }

    fn serve(&self, arrival: Arrival) {
        let worker = Arc::clone(&self.worker);
        let closing = Closing::new(self.closing.clone());
        tokio::spawn(async move {
            let Arrival {
                stream,
                peer,
                admitted,
                seat,
                arriving,
            } = arrival;
            let _here = seat;
            let client = Client {
                address: peer.ip().to_canonical(),
                admitted: Some(admitted),
                arriving: Some(arriving),
            };
            connection::serve(Accepted::new(stream), client, worker, closing).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_counts_for_its_thread_from_the_moment_it_is_given() {
        let (desk, _inbox) = Desk::new();
        let seats = [desk.seat(), desk.seat()];
        assert_eq!(desk.load(), 2);
        drop(seats);
        assert_eq!(desk.load(), 0);
    }
}
