//! Sockets that never block, and the one epoll instance that watches them.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, getsockname,
    listen, recv, send, socket_with, sockopt,
};

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// How a try to move bytes went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// So many bytes.
    Bytes(usize),
    /// None for now.
    Wait,
    /// The other side has ended its direction.
    End,
    /// The connection is broken.
    Broken(Errno),
}

/// A listener on a free port of the loopback.
///
/// # Errors
/// Where the system gives none.
pub fn listener() -> rustix::io::Result<(OwnedFd, SocketAddr)> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, FLAGS, None)?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    listen(&socket, 4096)?;
    let address = SocketAddr::try_from(getsockname(&socket)?)?;
    Ok((socket, address))
}

/// The next connection of a listener; `None` when none waits.
pub fn accept(listener: &OwnedFd) -> Option<OwnedFd> {
    let accepted = rustix::net::accept_with(listener, FLAGS).ok()?;
    // Without it the large answer's last segment may wait for an acknowledgement.
    let _ = sockopt::set_tcp_nodelay(&accepted, true);
    Some(accepted)
}

/// Begins a connection, from an address of the loopback where one is given.
///
/// # Errors
/// Where it fails at once.
pub fn begin(to: SocketAddr, from: Option<Ipv4Addr>) -> rustix::io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, FLAGS, None)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    if let Some(from) = from {
        bind(&socket, &SocketAddr::from((from, 0)))?;
    }
    match connect(&socket, &to) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error),
    }
}

/// Sends what fits.
pub fn put(socket: &OwnedFd, bytes: &[u8]) -> Moved {
    match send(socket, bytes, SendFlags::NOSIGNAL) {
        Ok(count) => Moved::Bytes(count),
        Err(Errno::AGAIN) => Moved::Wait,
        Err(error) => Moved::Broken(error),
    }
}

/// Receives into `scratch`.
pub fn take(socket: &OwnedFd, scratch: &mut [u8]) -> Moved {
    moved(recv(socket, scratch, RecvFlags::empty()).map(|(_, count)| count))
}

/// Receives up to `most` bytes and lets the kernel drop them: bodies are counted, not looked at.
pub fn skip(socket: &OwnedFd, scratch: &mut [u8], most: usize) -> Moved {
    let most = most.min(scratch.len());
    moved(recv(socket, &mut scratch[..most], RecvFlags::TRUNC).map(|(_, count)| count))
}

/// Reports each change of a socket once.
///
/// # Errors
/// Where the system refuses.
pub fn watch(epoll: impl AsFd, socket: &OwnedFd, token: u64) -> rustix::io::Result<()> {
    let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
    epoll::add(epoll, socket, epoll::EventData::new_u64(token), flags)
}

fn moved(result: rustix::io::Result<usize>) -> Moved {
    match result {
        Ok(0) => Moved::End,
        Ok(count) => Moved::Bytes(count),
        Err(Errno::AGAIN | Errno::INTR) => Moved::Wait,
        Err(error) => Moved::Broken(error),
    }
}
