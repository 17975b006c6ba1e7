//! The side of the successor.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::{EMPTY, HandoverError, LEAVING, LIVE, MORE, SERVING, TAKE, message};

/// How long the running proxy may take for one answer: it writes its state first.
const ANSWER: Duration = Duration::from_secs(15);

/// What was passed. Dropped before [`TakenOver::serving`], the running proxy goes on.
#[derive(Debug)]
pub struct TakenOver {
    socket: OwnedFd,
    path: PathBuf,
    /// The instance lock of the running proxy.
    pub lock: OwnedFd,
    /// Its listening sockets.
    pub listeners: Vec<TcpListener>,
    /// It has a configuration that serves.
    pub live: bool,
}

/// Asks the proxy that listens at `path` for its listeners. `None`: no process listens there.
///
/// # Errors
/// Where one does and does not hand over.
pub fn take(path: &Path) -> Result<Option<TakenOver>, HandoverError> {
    let failed = |cause: io::Error| HandoverError::Socket {
        path: path.to_owned(),
        cause,
    };
    let socket = match connected(path) {
        Ok(socket) => socket,
        Err(Errno::NOENT | Errno::CONNREFUSED) => return Ok(None),
        Err(error) => return Err(failed(error.into())),
    };
    let uid = socket_peercred(&socket)
        .map_err(|error| failed(error.into()))?
        .uid;
    // What root runs may be replaced by root alone, and the other way round.
    if uid != rustix::process::geteuid() {
        return Err(HandoverError::Foreign {
            path: path.to_owned(),
            uid: uid.as_raw(),
        });
    }
    message::send(&socket, TAKE, &[]).map_err(failed)?;
    let mut fds = Vec::new();
    let last = loop {
        let (said, more) = message::receive(&socket).map_err(failed)?;
        fds.extend(more);
        if said != MORE {
            break said;
        }
    };
    let mut fds = fds.into_iter();
    match (last.as_str(), fds.next()) {
        (LIVE | EMPTY, Some(lock)) => Ok(Some(TakenOver {
            socket,
            path: path.to_owned(),
            lock,
            listeners: fds.map(TcpListener::from).collect(),
            live: last == LIVE,
        })),
        _ => Err(refused(path, last)),
    }
}

impl TakenOver {
    /// Says that this process serves. When this returns, the running one has stopped writing its state and drains.
    ///
    /// # Errors
    /// Where the running one has ended, or took its offer back because this took too long.
    pub fn serving(&self) -> Result<(), HandoverError> {
        let failed = |cause: io::Error| HandoverError::Socket {
            path: self.path.clone(),
            cause,
        };
        message::send(&self.socket, SERVING, &[]).map_err(failed)?;
        match message::receive(&self.socket).map_err(failed)? {
            (said, _) if said == LEAVING => Ok(()),
            (said, _) => Err(refused(&self.path, said)),
        }
    }
}

fn refused(path: &Path, said: String) -> HandoverError {
    HandoverError::Refused {
        path: path.to_owned(),
        said,
    }
}

fn connected(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    for timeout in [Timeout::Recv, Timeout::Send] {
        set_socket_timeout(socket.as_fd(), timeout, Some(ANSWER))?;
    }
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}
