//! A connection as the engine needs it, whoever made it.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

pub mod body_relay;
pub mod buffer;
pub mod stall;
pub mod timer;
pub mod write_buffer;

/// What a connection can do. Nothing here waits: what is not there yet is `Pending`, and the task is woken.
pub trait Io: Send + Unpin {
    /// Reads what is there; 0 is the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Waits until there is something to read, or the end. Needs no buffer, so that a connection that waits costs little.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Writes what fits of these parts.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;

    /// Sends what is held back.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends what we send; the other side may go on.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Whether the task hears of what happens to it. One that is not watched is from the first read or write on that has to wait.
    fn is_watched(&self) -> bool {
        true
    }

    /// Makes the end, when this is dropped, one that the other side cannot take for a good one, where the transport has such an end.
    fn abort(&mut self);

    /// Whether it is encrypted.
    fn is_tls(&self) -> bool;

    /// The address that the other side connected to, where that is known.
    fn local(&self) -> Option<SocketAddr> {
        None
    }
}

/// A socket of the runtime, with what its kind alone knows.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin {
    /// Waits until there is something to read, or the end.
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Makes the end a reset, where this kind has one.
    fn make_end_a_reset(&self);

    /// The address that the other side connected to, where that is known.
    fn own_address(&self) -> Option<SocketAddr>;
}

impl Socket for TcpStream {
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_ready(cx)
    }

    fn make_end_a_reset(&self) {
        // What is closed with a linger of nothing ends at once. Where that fails, the connection is broken already.
        let _ = self.set_zero_linger();
    }

    fn own_address(&self) -> Option<SocketAddr> {
        self.local_addr().ok()
    }
}

impl Socket for UnixStream {
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_ready(cx)
    }

    /// A unix socket has none.
    fn make_end_a_reset(&self) {}

    fn own_address(&self) -> Option<SocketAddr> {
        None
    }
}

impl<S: Socket> Io for S {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(into);
        ready!(AsyncRead::poll_read(Pin::new(self), cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_ready(cx)
    }

    /// One part is written as it is: a list of one costs the system more.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match parts {
            [one] => AsyncWrite::poll_write(Pin::new(self), cx, one),
            parts => AsyncWrite::poll_write_vectored(Pin::new(self), cx, parts),
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(self), cx)
    }

    fn abort(&mut self) {
        self.make_end_a_reset();
    }

    fn is_tls(&self) -> bool {
        false
    }

    fn local(&self) -> Option<SocketAddr> {
        self.own_address()
    }
}
