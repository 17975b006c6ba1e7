//! The side of the running proxy.

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

/// How long a peer may take to say what it wants.
const ASK: Duration = Duration::from_secs(2);
/// How long a successor may take from the descriptors to its first request: it reads the cache, and may wait for control.
const START: Duration = Duration::from_secs(60);
/// Where the system has no descriptor left, the next try comes after this.
const REST: Duration = Duration::from_millis(500);

/// What passes to a successor.
#[derive(Debug)]
pub struct Offer {
    /// The instance lock.
    pub lock: OwnedFd,
    /// The listening sockets that are still open.
    pub listeners: Vec<TcpListener>,
    /// This proxy has a configuration that serves.
    pub live: bool,
}

/// What the running proxy does about a successor.
pub trait Gives: Send {
    /// A successor asks: this proxy stops writing its state until one of the other two is called. `None`: it cannot hand over now.
    fn offer(&mut self) -> Option<Offer>;

    /// The successor serves: this proxy writes its state no more, and drains.
    fn given(&mut self);

    /// The successor ended before it served: this proxy goes on as before.
    fn kept(&mut self);
}

/// The socket on which successors ask. Its file is left to the successor after a handover, else removed with this.
#[derive(Debug)]
pub struct Offering {
    path: PathBuf,
}

/// Listens for successors on a thread of its own. This process holds the instance lock, so a file that lies at `path` is left over.
///
/// # Errors
/// Where the socket cannot be made.
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
    /// The process ends without a successor: takes the socket away.
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
                warn!(%error, "cannot accept a successor");
                // Nothing unparks this thread.
                std::thread::park_timeout(REST);
            }
        }
    }
}

/// Whether the peer took over.
fn hand_over(peer: &OwnedFd, gives: &mut impl Gives) -> bool {
    match asked(peer) {
        Ok(true) => {}
        Ok(false) => return false,
        Err(error) => {
            warn!(%error, "a process at upgrade_sock does not ask for a handover");
            return false;
        }
    }
    info!("a successor asks for the listeners");
    let Some(offer) = gives.offer() else {
        warn!("cannot hand over now");
        // It is told why; if it has hung up, nothing is left to do.
        let _ = message::send(peer, NOT_NOW, &[]);
        return false;
    };
    let outcome = pass(peer, &offer);
    drop(offer);
    match outcome {
        Ok(()) => {
            gives.given();
            // Where the successor ends now, its supervisor starts it again: it has the listeners.
            let _ = message::send(peer, LEAVING, &[]);
            true
        }
        Err(error) => {
            warn!(%error, "the successor did not come to serve, going on");
            gives.kept();
            false
        }
    }
}

/// Whether a peer that may ask asks.
fn asked(peer: &OwnedFd) -> io::Result<bool> {
    let uid = socket_peercred(peer)?.uid;
    if uid != rustix::process::geteuid() {
        warn!(
            uid = uid.as_raw(),
            "a process of another user asks for the listeners"
        );
        return Ok(false);
    }
    set_socket_timeout(peer, Timeout::Recv, Some(ASK))?;
    set_socket_timeout(peer, Timeout::Send, Some(ASK))?;
    let (said, _) = message::receive(peer)?;
    match said.as_str() {
        TAKE => Ok(true),
        other => Err(io::Error::other(format!("it says {other:?}"))),
    }
}

/// Sends what is offered and waits until the successor serves.
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
        "" => Err(io::Error::other("it ended")),
        other => Err(io::Error::other(format!("it says {other:?}"))),
    }
}
