//! The running proxy's side of a handover.

use std::fs::Permissions;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen as listen_on,
    socket_with,
};
use tracing::{info, warn};

use super::{EMPTY, HandoverError, LEAVING, LIVE, MORE, NOT_NOW, SERVING, TAKE, message};

/// Time a peer may take to send its request.
const ASK: Duration = Duration::from_secs(2);
/// Time a successor may take from receiving the descriptors to serving: it reads the cache, and may wait for control.
const START: Duration = Duration::from_secs(60);
/// Backoff after a failed accept, for example for lack of file descriptors.
const REST: Duration = Duration::from_millis(500);

/// The resources that pass to a successor.
#[derive(Debug)]
pub struct Offer {
    /// The instance lock.
    pub lock: OwnedFd,
    /// The listening sockets that are still open.
    pub listeners: Vec<TcpListener>,
    /// This proxy serves a configuration.
    pub live: bool,
}

/// The running proxy's reaction to a successor.
pub trait Gives: Send {
    /// Called when a successor requests a handover. From then on this proxy does not write its state, until one of the other two is called.
    /// `None` if it cannot hand over now.
    fn offer(&mut self) -> Option<Offer>;

    /// Called when the successor serves. This proxy never writes its state again, and drains.
    fn given(&mut self);

    /// Called when the successor failed before it served. This proxy continues.
    fn kept(&mut self);
}

/// The socket on which successors connect. After a handover its file belongs to the successor; otherwise [`Offering::remove`] deletes it.
#[derive(Debug)]
pub struct Offering {
    path: PathBuf,
}

/// Listens for successors on a dedicated thread. This process holds the instance lock, so an existing file at `path` is stale.
///
/// # Errors
/// If the socket cannot be created, or the thread cannot be spawned.
pub fn listen(path: &Path, gives: impl Gives + 'static) -> Result<Offering, HandoverError> {
    let socket = bound(path).map_err(|cause| HandoverError::Socket {
        path: path.to_owned(),
        cause,
    })?;
    let offering = Offering {
        path: path.to_owned(),
    };
    let spawned = std::thread::Builder::new()
        .name("handover".to_owned())
        .spawn(move || serve(&socket, gives));
    match spawned {
        Ok(_) => Ok(offering),
        Err(cause) => Err(HandoverError::Socket {
            path: path.to_owned(),
            cause,
        }),
    }
}

impl Offering {
    /// Removes the socket file, for an exit without a successor.
    pub fn remove(self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            warn!(%error, socket = %self.path.display(), "cannot remove upgrade_sock");
        }
    }
}

fn bound(path: &Path) -> io::Result<OwnedFd> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    listen_on(&socket, 4)?;
    Ok(socket)
}

fn serve(socket: &OwnedFd, mut gives: impl Gives) {
    loop {
        match accept_with(socket, SocketFlags::CLOEXEC) {
            Ok(peer) => {
                if hand_over(&peer, &mut gives) {
                    return;
                }
            }
            Err(Errno::INTR | Errno::CONNABORTED) => {}
            Err(error) => {
                warn!(%error, "accept failed on upgrade_sock");
                // Nothing unparks this thread, so this is a sleep.
                std::thread::park_timeout(REST);
            }
        }
    }
}

/// Handles one peer. Returns `true` if it took over.
fn hand_over(peer: &OwnedFd, gives: &mut impl Gives) -> bool {
    match asked(peer) {
        Ok(true) => {}
        Ok(false) => return false,
        Err(error) => {
            warn!(%error, "invalid handover request on upgrade_sock");
            return false;
        }
    }
    info!("successor requested the listeners");
    let Some(offer) = gives.offer() else {
        warn!("handover refused: not possible now");
        // A send error means that the peer is gone, which changes nothing.
        let _ = message::send(peer, NOT_NOW, &[]);
        return false;
    };
    let outcome = pass(peer, &offer);
    drop(offer);
    match outcome {
        Ok(()) => {
            gives.given();
            // A failed send changes nothing: the successor already owns the listeners, and its supervisor restarts it if it exited.
            let _ = message::send(peer, LEAVING, &[]);
            true
        }
        Err(error) => {
            warn!(%error, "successor failed before it served; handover cancelled");
            gives.kept();
            false
        }
    }
}

/// Reports whether the peer is allowed to request a handover and requests one.
fn asked(peer: &OwnedFd) -> io::Result<bool> {
    let uid = socket_peercred(peer)?.uid;
    if uid != rustix::process::geteuid() {
        warn!(
            uid = uid.as_raw(),
            "handover refused: the peer runs as another user"
        );
        return Ok(false);
    }
    set_socket_timeout(peer, Timeout::Recv, Some(ASK))?;
    set_socket_timeout(peer, Timeout::Send, Some(ASK))?;
    let (said, _) = message::receive(peer)?;
    match said.as_str() {
        TAKE => Ok(true),
        other => Err(io::Error::other(format!("unexpected message {other:?}"))),
    }
}

/// Sends the offer and waits until the successor serves.
fn pass(peer: &OwnedFd, offer: &Offer) -> io::Result<()> {
    let listeners = offer.listeners.iter().map(AsFd::as_fd);
    let fds: Vec<BorrowedFd<'_>> = std::iter::once(offer.lock.as_fd())
        .chain(listeners)
        .collect();
    let mut parts = fds.chunks(message::MOST).peekable();
    while let Some(part) = parts.next() {
        let text = match (parts.peek(), offer.live) {
            (Some(_), _) => MORE,
            (None, true) => LIVE,
            (None, false) => EMPTY,
        };
        message::send(peer, text, part)?;
    }
    set_socket_timeout(peer, Timeout::Recv, Some(START))?;
    let (said, _) = message::receive(peer)?;
    match said.as_str() {
        SERVING => Ok(()),
        "" => Err(io::Error::other("the successor closed the connection")),
        other => Err(io::Error::other(format!("unexpected message {other:?}"))),
    }
}
