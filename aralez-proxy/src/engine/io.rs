//! The connection interface of the engine, independent of the transport.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use content_source::FilePart;

pub mod body_relay;
pub mod buffer;
pub mod content_source;
pub mod stall;
pub mod timer;
pub mod write_buffer;

/// Operations of a connection. None of them blocks: one that cannot make progress returns `Pending` and registers the waker.
pub trait Io: Send + Unpin {
    /// Reads available bytes; 0 means end of stream.
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Waits until there is something to read, or the end of the stream. Needs no buffer, which keeps idle connections small.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Writes as much of these parts as the transport accepts.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;

    /// Reports whether [`Io::poll_send_file`] works on this connection.
    fn sends_files(&self) -> bool {
        false
    }

    /// Writes bytes after which a part of a file is sent: the system may wait for it and send both together.
    fn poll_write_before_file(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write(cx, &[IoSlice::new(bytes)])
    }

    /// Sends a part of a file, or the beginning of it, without reading it into memory of the process. 0 at the end of the file.
    fn poll_send_file(&mut self, _: &mut Context<'_>, _: &FilePart<'_>) -> Poll<io::Result<usize>> {
        Poll::Ready(Err(io::ErrorKind::Unsupported.into()))
    }

    /// Flushes buffered output.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Closes the write side; the other side may continue to send.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Reports whether the socket is registered with the reactor. If not, the first read or write that would block registers it.
    fn is_watched(&self) -> bool {
        true
    }

    /// Makes the close on drop abortive (a reset) if the transport supports it, so that the peer cannot mistake it for a regular end.
    fn abort(&mut self);

    /// Reports whether the connection is encrypted.
    fn is_tls(&self) -> bool;

    /// Returns the local address, if known.
    fn local(&self) -> Option<SocketAddr> {
        None
    }
}

/// A runtime socket, with the operations that depend on its kind.
trait Socket: AsyncRead + AsyncWrite + Send + Unpin {
    /// Waits until there is something to read, or the end of the stream.
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Turns the close into a reset, if this kind of socket has one.
    fn make_end_a_reset(&self);

    /// Returns the local address, if known.
    fn own_address(&self) -> Option<SocketAddr>;
}

impl Socket for TcpStream {
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_read_ready(cx)
    }

    fn make_end_a_reset(&self) {
        // With a zero linger, close sends a reset. If this fails, the connection is broken already.
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

    /// A unix socket has no reset.
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

    /// A single part is written directly: a vectored write of one part is slower.
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
