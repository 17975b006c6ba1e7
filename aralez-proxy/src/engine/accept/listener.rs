//! Listening sockets: set-up, accept, and a close that loses no client.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{SocketFlags, acceptfrom_with};
use tokio::io::Interest;

use crate::core::admission::ListenerCount;
use crate::core::request::listener_role::ListenerRole;
use crate::engine::accept::defer_accept;
use crate::engine::accept::dispatch::Acceptor;

/// Pause after an accept that failed for lack of resources (EMFILE, ENFILE, ENOBUFS).
const REST: Duration = Duration::from_millis(100);

/// Time for an idle connection to close its file descriptor after it was asked to.
const GIVEN: Duration = Duration::from_millis(10);

/// Length of the accept queue: as long as the system allows (`net.core.somaxconn`). The 128 of the standard library overflow in a burst of
/// clients.
const BACKLOG: i32 = i32::MAX;

/// Maximum number of connections accepted at the close. It exceeds any backlog, and bounds the loop if a successor shares the socket and
/// clients keep connecting.
const LAST_ACCEPTS: usize = 65_536;

/// A listening socket that is ready for accepts.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    count: Arc<ListenerCount>,
    role: ListenerRole,
    defers: bool,
}

impl Bound {
    /// Sets up a listener in its role. It may be inherited from an earlier process. With `defer` the kernel holds its connections until the
    /// client has sent data, if the system supports it.
    ///
    /// # Errors
    /// If it cannot be made non-blocking, or does not listen.
    pub fn new(listener: TcpListener, role: ListenerRole, defer: bool) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // Accepted sockets inherit TCP_NODELAY from the listener, which saves a syscall for each.
        rustix::net::sockopt::set_tcp_nodelay(&listener, true)?;
        rustix::net::listen(&listener, BACKLOG)?;
        let deferring = if defer {
            defer_accept::defer(&listener)
        } else {
            defer_accept::accept_at_once(&listener)
        };
        if let Err(error) = &deferring {
            tracing::info!(%error, "deferred accept not supported: accepting immediately");
        }
        Ok(Self {
            listener,
            count: Arc::default(),
            role,
            defers: defer && deferring.is_ok(),
        })
    }

    /// Returns whether the kernel holds its connections until the client has sent data.
    pub const fn defers(&self) -> bool {
        self.defers
    }

    /// Duplicates the handle of the socket.
    ///
    /// # Errors
    /// If the process has no file descriptor left.
    pub fn handle(&self) -> io::Result<TcpListener> {
        self.listener.try_clone()
    }
}

/// Accepts connections until the engine shuts down, and then those in the accept queue: the kernel has acknowledged them, and would reset
/// them when the socket is closed.
pub async fn accept(acceptor: Acceptor, bound: Bound) {
    // Tokio's own listener would register every connection with epoll immediately. This type is only used to wait.
    let socket = TcpStream::from(OwnedFd::from(bound.listener));
    let listener = match tokio::net::TcpStream::from_std(socket) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "listener cannot be registered");
            return;
        }
    };
    let mut closing = acceptor.closing.clone();
    let mut told = false;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = closing.wait_for(|closing| *closing) => break,
            accepted = listener.async_io(Interest::READABLE, || accept_one(&listener)) => accepted,
        };
        match accepted {
            Ok(client) => {
                told = false;
                acceptor.admit(client, &bound.count, bound.role);
            }
            Err(error) => no_room(&acceptor, &error, &mut told).await,
        }
    }
    drain(&acceptor, &listener, (&bound.count, bound.role)).await;
}

async fn drain(
    acceptor: &Acceptor,
    listener: &tokio::net::TcpStream,
    (count, role): (&Arc<ListenerCount>, ListenerRole),
) {
    let mut told = false;
    for _ in 0..LAST_ACCEPTS {
        match accept_one(listener) {
            Ok(client) => acceptor.admit(client, count, role),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
            // Connections that close free resources; the grace period bounds the retries.
            Err(error) => no_room(acceptor, &error, &mut told).await,
        }
    }
}

/// Accepts a connection, with all its flags set in the same syscall.
fn accept_one(listener: impl AsFd) -> io::Result<(TcpStream, SocketAddr)> {
    let (socket, peer) = acceptfrom_with(listener, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK)?;
    let peer = peer.ok_or(io::ErrorKind::ConnectionAborted)?;
    Ok((socket.into(), peer.try_into()?))
}

/// Handles a failed accept. An aborted connection is ignored. If the process or the system is out of file descriptors, the connection that
/// has been idle longest is closed to free one. Then accepting pauses, since an immediate retry would spin. `told` limits the log to one
/// line until an accept succeeds again.
async fn no_room(acceptor: &Acceptor, error: &io::Error, told: &mut bool) {
    if error.kind() == io::ErrorKind::ConnectionAborted {
        return;
    }
    if !std::mem::replace(told, true) {
        tracing::warn!(%error, "accept failed");
    }
    let no_descriptor = matches!(
        Errno::from_io_error(error),
        Some(Errno::MFILE | Errno::NFILE)
    );
    let admission = &acceptor.worker.engine.admission;
    let gives = no_descriptor && admission.close_longest_idle(Instant::now());
    tokio::time::sleep(if gives { GIVEN } else { REST }).await;
}
