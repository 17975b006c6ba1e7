//! A connection to an endpoint, whatever it is made of.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::task::{Context, Poll};

use rustix::io::Errno;
use rustix::net::RecvFlags;
use tokio::net::{TcpStream, UnixStream};

use crate::engine::io::Io;

/// A connected stream. One type for all, so that whatever runs on it is compiled once; which one it is costs a comparison for each call.
///
/// TLS is one more variant, boxed, around one of these.
#[derive(Debug)]
pub enum UpstreamStream {
    /// TCP.
    Tcp(TcpStream),
    /// A unix stream socket.
    Unix(UnixStream),
}

/// How a connection is on which nothing was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Idle {
    /// It can carry the next request.
    Quiet,
    /// The endpoint has closed it, or says that it does.
    Closed,
    /// The endpoint says something that nobody asked for: it cannot be told from the answer to the next request.
    Talking,
}

impl UpstreamStream {
    /// Looks whether it can carry the next request, without waiting. Each kind of stream knows for itself what its endpoint may say unasked:
    /// what comes on a plain one is HTTP, while records of TLS may hold session tickets only.
    pub fn idle(&self) -> Idle {
        match self {
            Self::Tcp(stream) => plain_idle(stream),
            Self::Unix(stream) => plain_idle(stream),
        }
    }
}

/// Asks the system: what the runtime knows is as old as its last look, and what came since then would be taken for the answer to the next
/// request.
fn plain_idle(socket: impl AsFd) -> Idle {
    let mut said = [0; 12];
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match rustix::net::recv(socket, &mut said[..], flags) {
        Err(Errno::AGAIN) => Idle::Quiet,
        Ok(_) if is_idle_timeout(&said) => Idle::Closed,
        Ok((_, 1..)) => Idle::Talking,
        Ok((_, 0)) | Err(_) => Idle::Closed,
    }
}

/// What an endpoint says that closes an idle connection, up to its status.
fn is_idle_timeout(said: &[u8; 12]) -> bool {
    // Whatever the minor version.
    said.starts_with(b"HTTP/1.") && said.ends_with(b" 408")
}

impl Io for UpstreamStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Io::poll_read(stream, cx, into),
            Self::Unix(stream) => Io::poll_read(stream, cx, into),
        }
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_readable(cx),
            Self::Unix(stream) => stream.poll_readable(cx),
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(stream) => Io::poll_write(stream, cx, parts),
            Self::Unix(stream) => Io::poll_write(stream, cx, parts),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Io::poll_flush(stream, cx),
            Self::Unix(stream) => Io::poll_flush(stream, cx),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => Io::poll_shutdown(stream, cx),
            Self::Unix(stream) => Io::poll_shutdown(stream, cx),
        }
    }

    fn abort(&mut self) {
        match self {
            Self::Tcp(stream) => stream.abort(),
            Self::Unix(stream) => stream.abort(),
        }
    }

    fn is_tls(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Unix(_) => false,
        }
    }
}
