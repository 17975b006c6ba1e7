//! Connections as they are taken in: counted, and given to the thread that has the fewest.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::io::Interest;
use tokio::sync::{mpsc, watch};

use super::accepted::Accepted;
use super::closing::Closing;
use super::connection::{self, Client};
use super::deferred;
use super::worker::Worker;
use crate::core::admission::{Admitted, ListenerCount};
use crate::core::traffic::Event;

/// How long a listener rests where the system has no room for another connection.
const REST: Duration = Duration::from_millis(100);

/// By how many connections a thread may be ahead of another before it gives one away: moving one costs a few calls of the system.
const AHEAD: usize = 2;

/// How many connections may wait to be taken in: as many as the system allows (`net.core.somaxconn`). What a library asks for by itself,
/// 128, a burst of clients overflows.
const BACKLOG: i32 = i32::MAX;

/// A bound listener, for all threads.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    count: Arc<ListenerCount>,
}

impl Bound {
    /// Takes a listener. `defer`: its connections are held by the kernel until their client says something, where the system can do that.
    ///
    /// # Errors
    /// Where it cannot be made non-blocking.
    pub fn new(listener: TcpListener, defer: bool) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // Small messages must not wait for each other. What a listener says holds for its connections, and costs each of them nothing.
        rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
        rustix::net::listen(&listener, BACKLOG)?;
        if defer && let Err(error) = deferred::defer(&listener) {
            tracing::info!(%error, "this system does not hold connections until their client says something");
        }
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
}

/// A connection on its way to another thread.
#[derive(Debug)]
pub struct Arrival {
    stream: TcpStream,
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
        // Tokio's own listener would have every connection watched at once. Of this type only the waiting is used.
        let socket = TcpStream::from(OwnedFd::from(bound.listener));
        let listener = match tokio::net::TcpStream::from_std(socket) {
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
                accepted = listener.async_io(Interest::READABLE, || accept(&listener)) => accepted,
            };
            match accepted {
                Ok((stream, peer)) => {
                    told = false;
                    self.admit(stream, peer, &bound.count);
                }
                Err(error) => {
                    if matches!(
                        Errno::from_io_error(&error),
                        Some(Errno::MFILE | Errno::NFILE)
                    ) {
                        let admission = &self.worker.engine.admission;
                        admission.close_longest_idle(Instant::now());
                    }
                    rest_after(&error, &mut told).await;
                }
            }
        }
    }

    /// Serves what other threads give away.
    pub async fn receive(self, mut arrivals: mpsc::UnboundedReceiver<Arrival>) {
        while let Some(arrival) = arrivals.recv().await {
            let seat = Seat::take(&self.desks[self.own]);
            self.serve(arrival, seat);
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, count: &Arc<ListenerCount>) {
        let engine = &self.worker.engine;
        let admitted = match engine
            .admission
            .enter(count, peer.ip(), Instant::now(), || {
                engine.traffic.in_flight()
            }) {
            Ok(admitted) => admitted,
            Err(limit) => return self.worker.tally.connections.turn_away(limit),
        };
        self.worker.tally.event(Event::Accepted);
        let arrival = Arrival {
            stream,
            peer,
            admitted,
        };
        let own = &self.desks[self.own];
        match self.less_busy_than(own) {
            None => self.serve(arrival, Seat::take(own)),
            // A thread that is gone takes nothing, and the client sees its connection closed.
            Some(other) => drop(other.inbox.send(arrival)),
        }
    }

    fn less_busy_than(&self, own: &Desk) -> Option<&Desk> {
        let load = own.load();
        let least = self.desks.iter().min_by_key(|desk| desk.load())?;
        (least.load() + AHEAD <= load).then_some(least)
    }

    fn serve(&self, arrival: Arrival, seat: Seat) {
        let worker = Arc::clone(&self.worker);
        let closing = Closing::new(self.closing.clone());
        tokio::spawn(async move {
            let Arrival {
                stream,
                peer,
                admitted,
            } = arrival;
            let _here = seat;
            let client = Client {
                address: peer.ip().to_canonical(),
                admitted: Some(admitted),
            };
            connection::serve(Accepted::new(stream), client, worker, closing).await;
        });
    }
}

/// Takes a connection that waits, ready for use in one call of the system.
fn accept(listener: impl AsFd) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = acceptfrom_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    let peer = peer.ok_or(io::ErrorKind::ConnectionAborted)?;
    Ok((socket.into(), peer.try_into()?))
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
