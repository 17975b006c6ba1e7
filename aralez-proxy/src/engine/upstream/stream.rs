//! A connection to an endpoint, independent of its transport.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::task::{Context, Poll};

use rustix::io::Errno;
use rustix::net::RecvFlags;
use tokio::net::{TcpStream, UnixStream};

use crate::engine::io::Io;

/// A connected stream. One type for all transports, so that code generic over the stream is compiled once; the cost is one comparison per
/// call.
///
/// TLS will be another variant, boxed, that wraps one of these.
#[derive(Debug)]
pub enum UpstreamStream {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A unix stream socket.
    Unix(UnixStream),
}

/// State of an idle connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Idle {
    /// It can carry the next request.
    Quiet,
    /// The endpoint closed it, or announced that it does.
    Closed,
    /// The endpoint sent unsolicited data, which cannot be distinguished from the response to the next request.
    Talking,
}

impl UpstreamStream {
    /// Checks, without blocking, whether the connection can carry the next request. Unsolicited data means different things per transport:
    /// on a plain stream it is HTTP, while TLS records may contain only session tickets.
    pub fn idle(&self) -> Idle {
        match self {
            Self::Tcp(stream) => plain_idle(stream),
            Self::Unix(stream) => plain_idle(stream),
        }
    }
}

/// Asks the kernel: the readiness known to the runtime is as old as its last poll, and data received since then would be taken for the
/// response to the next request.
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

/// Recognizes a 408 that closes an idle connection, by its bytes up to the status.
fn is_idle_timeout(said: &[u8; 12]) -> bool {
    // Any minor version.
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
