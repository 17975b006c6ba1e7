//! The successor's side of a handover.

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::{EMPTY, HandoverError, LEAVING, LIVE, MORE, SERVING, TAKE, message};

/// Timeout of one answer of the running proxy, which writes its state first.
const ANSWER: Duration = Duration::from_secs(15);

/// The resources received from the running proxy. If this is dropped before [`TakenOver::serving`], the running proxy continues.
#[derive(Debug)]
pub struct TakenOver {
    socket: OwnedFd,
    path: PathBuf,
    /// The instance lock of the running proxy.
    pub lock: OwnedFd,
    /// Its listening sockets.
    pub listeners: Vec<TcpListener>,
    /// It serves a configuration.
    pub live: bool,
}

/// Requests the listeners of the proxy that listens at `path`. `None` if no process listens there.
///
/// # Errors
/// If a process listens there but does not hand over.
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
    // Only a process of the same user is asked to hand over.
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
    /// Reports to the running proxy that this process serves. On return the running proxy has stopped writing its state and drains.
    ///
    /// # Errors
    /// If the running proxy exited, or withdrew its offer because this took too long.
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
