//! The listening sockets: how they are set up, accepted from, and closed without losing a client.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::io::Interest;

use crate::core::admission::ListenerCount;
use crate::engine::accept::defer_accept;
use crate::engine::accept::dispatch::Acceptor;

/// How long a listener rests where the system has no room for another connection (EMFILE, ENFILE, ENOBUFS).
const REST: Duration = Duration::from_millis(100);

/// How long the connection that gives its descriptor may take to close it.
const GIVEN: Duration = Duration::from_millis(10);

/// How many connections may wait to be accepted: as many as the system allows (`net.core.somaxconn`). The 128 of the standard library
/// overflow with a burst of clients.
const BACKLOG: i32 = i32::MAX;

/// The most connections that are accepted at the close: more than a backlog holds, and an end where a successor shares the socket and
/// clients keep coming.
const LAST_ACCEPTS: usize = 65_536;

/// A listening socket that is ready to be accepted from.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    count: Arc<ListenerCount>,
    defers: bool,
}

impl Bound {
    /// Sets up a listener, one of an earlier process too. `defer`: the kernel holds its connections until their client sent something, where
    /// the system can do that.
    ///
    /// # Errors
    /// Where it cannot be made non-blocking.
    pub fn new(listener: TcpListener, defer: bool) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // Accepted connections inherit it, so it costs none of them a call.
        rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
        rustix::net::listen(&listener, BACKLOG)?;
        let deferring = if defer {
            defer_accept::defer(&listener)
        } else {
            defer_accept::accept_at_once(&listener)
        };
        if let Err(error) = &deferring {
            tracing::info!(%error, "this system does not defer the accept until a client sent something");
        }
        Ok(Self {
            listener,
            count: Arc::default(),
            defers: defer && deferring.is_ok(),
        })
    }

    /// Whether the kernel holds its connections until their client sent something.
    pub const fn defers(&self) -> bool {
        self.defers
    }

    /// Another handle of the same socket.
    ///
    /// # Errors
    /// Where the system has no descriptor left.
    pub fn handle(&self) -> io::Result<TcpListener> {
        self.listener.try_clone()
    }
}

/// Accepts connections until the engine closes, then those that are in the accept queue: the kernel has acknowledged them, and resets them
/// when the socket is closed.
pub async fn accept(reception: Acceptor, bound: Bound) {
    // Tokio's own listener would register every connection with epoll at once. Of this type only the waiting is used.
    let socket = TcpStream::from(OwnedFd::from(bound.listener));
    let listener = match tokio::net::TcpStream::from_std(socket) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "a listener cannot be used");
            return;
        }
    };
    let mut closing = reception.closing.clone();
    let mut told = false;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => break,
            accepted = listener.async_io(Interest::READABLE, || accept_one(&listener)) => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                told = false;
                reception.admit(stream, peer, &bound.count);
            }
            Err(error) => no_room(&reception, &error, &mut told).await,
        }
    }
    drain(&reception, &listener, &bound.count).await;
}

async fn drain(reception: &Acceptor, listener: &tokio::net::TcpStream, count: &Arc<ListenerCount>) {
    let mut told = false;
    for _ in 0..LAST_ACCEPTS {
        match accept_one(listener) {
            Ok((stream, peer)) => reception.admit(stream, peer, count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // Connections that end make room; the grace period bounds how long this is tried.
            Err(error) => no_room(reception, &error, &mut told).await,
        }
    }
}

/// Accepts a connection, ready for use in one call of the system.
fn accept_one(listener: impl AsFd) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = acceptfrom_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    let peer = peer.ok_or(io::ErrorKind::ConnectionAborted)?;
    Ok((socket.into(), peer.try_into()?))
}

/// Where this process has no descriptor left, the connection that has been idle longest gives its own. A connection that broke before it was
/// accepted is no reason to rest. Where the system has no room, accepting again at once would spin. It is logged once until there is room
/// again.
async fn no_room(reception: &Acceptor, error: &io::Error, told: &mut bool) {
    if error.kind() == io::ErrorKind::ConnectionAborted {
        return;
    }
    if !std::mem::replace(told, true) {
        tracing::warn!(%error, "cannot accept connections");
    }
    let no_descriptor = matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    );
    let admission = &reception.worker.engine.admission;
    let gives = no_descriptor && admission.close_longest_idle(Instant::now());
    tokio::time::sleep(if gives { GIVEN } else { REST }).await;
}
