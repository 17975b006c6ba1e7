//! Connections as they are taken in: counted, and given to the thread that has the fewest.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::closing::Closing;
use super::connection::{self, Client};
use super::worker::Worker;
use crate::core::admission::{Admitted, ListenerCount};
use crate::core::traffic::Event;

/// How long a listener rests where the system has no room for another connection.
const REST: Duration = Duration::from_millis(100);

/// By how many connections a thread may be ahead of another before it gives one away: moving one costs a few calls of the system.
const AHEAD: usize = 2;

/// A bound listener, for all threads.
#[derive(Debug)]
pub struct Bound {
    listener: std::net::TcpListener,
    count: Arc<ListenerCount>,
}

impl Bound {
    /// Takes a listener.
    ///
    /// # Errors
    /// Where it cannot be made non-blocking.
    pub fn new(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // Small messages must not wait for each other. What a listener says holds for its connections, and costs each of them nothing.
        rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
        Ok(Self {
            listener,
            count: Arc::default(),
        })
    }

    /// The same listener for another thread.
    ///
    /// # Errors
    /// Where the system has no handle left.
    pub fn share(&self) -> io::Result<Self> {
        Ok(Self {
            listener: self.listener.try_clone()?,
            count: Arc::clone(&self.count),
        })
    }

    /// The socket itself.
    pub fn into_socket(self) -> std::net::TcpListener {
        self.listener
    }
}

/// A connection on its way to another thread.
#[derive(Debug)]
pub struct Arrival {
    stream: std::net::TcpStream,
    peer: SocketAddr,
    admitted: Admitted,
}

/// One thread as the others see it.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Connections that it has.
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
}

/// Counts a connection of a thread until it is dropped.
struct Seat(Arc<AtomicUsize>);

impl Seat {
    fn take(desk: &Desk) -> Self {
        desk.load.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&desk.load))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What takes connections in on one thread.
#[derive(Clone, Debug)]
pub struct Reception {
    /// What the thread has for itself.
    pub worker: Arc<Worker>,
    /// All threads, this one among them.
    pub desks: Arc<[Desk]>,
    /// Which one this is.
    pub own: usize,
    /// Says that the engine closes.
    pub closing: watch::Receiver<bool>,
}

impl Reception {
    /// Takes connections in until the engine closes.
    pub async fn accept(self, bound: Bound) {
        let listener = match TcpListener::from_std(bound.listener) {
            Ok(listener) => listener,
            Err(error) => {
                tracing::error!(%error, "a listener cannot be used");
                return;
            }
        };
        let mut closing = self.closing.clone();
        let mut told = false;
        loop {
            let accepted = tokio::select! {
                biased;
                _ = closing.wait_for(|closing| *closing) => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    told = false;
                    self.admit(stream, peer, &bound.count);
                }
                Err(error) => rest_after(&error, &mut told).await,
            }
        }
    }

    /// Serves what other threads give away.
    pub async fn receive(self, mut arrivals: mpsc::UnboundedReceiver<Arrival>) {
        while let Some(arrival) = arrivals.recv().await {
            // Where it cannot be used, its client sees it closed.
            if let Ok(stream) = TcpStream::from_std(arrival.stream) {
                let seat = Seat::take(&self.desks[self.own]);
                self.serve(stream, arrival.peer, arrival.admitted, seat);
            }
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, count: &Arc<ListenerCount>) {
        let engine = &self.worker.engine;
        let admitted = match engine.admission.enter(count, peer.ip()) {
            Ok(admitted) => admitted,
            Err(limit) => return engine.traffic.connections.turn_away(limit),
        };
        engine.traffic.event(Event::Accepted);
        let own = &self.desks[self.own];
        let Some(other) = self.less_busy_than(own) else {
            let seat = Seat::take(own);
            return self.serve(stream, peer, admitted, seat);
        };
        if let Ok(stream) = stream.into_std() {
            let arrival = Arrival {
                stream,
                peer,
                admitted,
            };
            // A thread that is gone takes nothing, and the client sees its connection closed.
            let _ = other.inbox.send(arrival);
        }
    }

    fn less_busy_than(&self, own: &Desk) -> Option<&Desk> {
        let load = own.load();
        let least = self.desks.iter().min_by_key(|desk| desk.load())?;
        (least.load() + AHEAD <= load).then_some(least)
    }

    fn serve(&self, stream: TcpStream, peer: SocketAddr, admitted: Admitted, seat: Seat) {
        let worker = Arc::clone(&self.worker);
        let closing = Closing::new(self.closing.clone());
        let client = Client {
            address: peer.ip().to_canonical(),
        };
        tokio::spawn(async move {
            let _here = (admitted, seat);
            connection::serve(stream, client, worker, closing).await;
        });
    }
}

/// A connection that broke before it was taken is nothing; where the system has no room, asking again at once would only burn time. It is
/// told once, until there is room again.
async fn rest_after(error: &io::Error, told: &mut bool) {
    if error.kind() == io::ErrorKind::ConnectionAborted {
        return;
    }
    if !std::mem::replace(told, true) {
        tracing::warn!(%error, "no connection can be taken");
    }
    tokio::time::sleep(REST).await;
}
