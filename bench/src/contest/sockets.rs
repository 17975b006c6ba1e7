//! Non-blocking sockets, and their registration with epoll.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::epoll;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, getsockname,
    listen, recv, send, socket_with, sockopt,
};

const FLAGS: SocketFlags = SocketFlags::NONBLOCK.union(SocketFlags::CLOEXEC);

/// Result of a send or receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// Number of bytes moved.
    Bytes(usize),
    /// The call would block.
    Wait,
    /// The peer has half-closed the connection.
    End,
    /// The connection is broken.
    Broken(Errno),
}

/// Returns a listener on a free loopback port, and its address.
///
/// # Errors
/// If a system call fails.
pub fn listener() -> rustix::io::Result<(OwnedFd, SocketAddr)> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, FLAGS, None)?;
    bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    listen(&socket, 4096)?;
    let address = SocketAddr::try_from(getsockname(&socket)?)?;
    Ok((socket, address))
}

/// Accepts the next connection; `None` if none is pending or accept failed.
pub fn accept(listener: &OwnedFd) -> Option<OwnedFd> {
    let accepted = rustix::net::accept_with(listener, FLAGS).ok()?;
    // Otherwise Nagle's algorithm may delay the last segment of the large response until an acknowledgement.
    let _ = sockopt::set_tcp_nodelay(&accepted, true);
    Some(accepted)
}

/// Starts a non-blocking connect, from the source address `from` if given.
///
/// # Errors
/// If the connect fails immediately.
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

/// Sends as many bytes as the socket buffer accepts.
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

/// Receives up to `most` bytes and has the kernel discard them (`MSG_TRUNC`): bodies are counted, not inspected.
pub fn skip(socket: &OwnedFd, scratch: &mut [u8], most: usize) -> Moved {
    let most = most.min(scratch.len());
    moved(recv(socket, &mut scratch[..most], RecvFlags::TRUNC).map(|(_, count)| count))
}

/// Registers a socket with `epoll`, edge-triggered.
///
/// # Errors
/// If a system call fails.
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
