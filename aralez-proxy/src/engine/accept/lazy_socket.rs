//! A client's accepted socket, registered with the runtime only when it must be waited for. A client with a single request is usually
//! served and gone before that, which saves the syscalls of the registration.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream as Socket};
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::fs::sendfile;
use rustix::io::retry_on_intr;
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{SendFlags, send};
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::engine::io::Io;
use crate::engine::io::content_source::FilePart;

/// The most bytes of a file that are sent in one call, so that a fast client does not hold up the others of its thread.
const MOST_AT_ONCE: usize = 1 << 20;

/// A lazily registered socket.
#[derive(Debug)]
pub struct LazySocket(Registration);

#[derive(Debug)]
enum Registration {
    /// Not registered.
    Unwatched(Socket),
    /// Registered with the runtime.
    Watched(TcpStream),
    /// The registration failed.
    Broken,
}

impl LazySocket {
    /// Wraps a non-blocking socket.
    pub const fn new(socket: Socket) -> Self {
        Self(Registration::Unwatched(socket))
    }

    /// Returns the registered stream. First tries `work` on the bare socket, and returns its result as `Err` unless it would block.
    fn watched<T>(
        &mut self,
        work: impl FnOnce(&mut Socket) -> io::Result<T>,
    ) -> Result<&mut TcpStream, io::Result<T>> {
        if let Registration::Unwatched(socket) = &mut self.0 {
            match work(socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.watch().map_err(Err)?;
                }
                done => return Err(done),
            }
        }
        match &mut self.0 {
            Registration::Watched(stream) => Ok(stream),
            Registration::Unwatched(_) | Registration::Broken => {
                Err(Err(io::ErrorKind::NotConnected.into()))
            }
        }
    }

    /// Does what writes to the socket, when that does not block.
    fn poll_with<T>(
        &mut self,
        cx: &mut Context<'_>,
        work: impl Fn(BorrowedFd<'_>) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        let stream = match self.watched(|socket| work(socket.as_fd())) {
            Ok(stream) => stream,
            Err(done) => return Poll::Ready(done),
        };
        loop {
            ready!(stream.poll_write_ready(cx))?;
            match stream.try_io(Interest::WRITABLE, || work(stream.as_fd())) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn watch(&mut self) -> io::Result<()> {
        if let Registration::Unwatched(socket) =
            std::mem::replace(&mut self.0, Registration::Broken)
        {
            self.0 = Registration::Watched(TcpStream::from_std(socket)?);
        }
        Ok(())
    }
}

/// Sends bytes that are followed by more, which the system then sends together.
fn send_before_more(socket: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
    Ok(retry_on_intr(|| send(socket, bytes, flags))?)
}

/// Sends a part of a file from the memory of the system.
fn send_file(socket: BorrowedFd<'_>, part: &FilePart<'_>) -> io::Result<usize> {
    let count =
        usize::try_from(part.length).map_or(MOST_AT_ONCE, |length| length.min(MOST_AT_ONCE));
    Ok(retry_on_intr(|| {
        let mut start = part.start;
        sendfile(socket, part.file, Some(&mut start), count)
    })?)
}

impl Io for LazySocket {
    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        match self.watched(|socket| socket.read(into)) {
            Ok(stream) => Io::poll_read(stream, cx, into),
            Err(done) => Poll::Ready(done),
        }
    }

    /// Returns ready for a socket that is not registered: only a read can find out whether it has data.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.watched(|_| Ok(())) {
            Ok(stream) => stream.poll_readable(cx),
            Err(done) => Poll::Ready(done),
        }
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.watched(|socket| match parts {
            [one] => socket.write(one),
            parts => socket.write_vectored(parts),
        });
        match written {
            Ok(stream) => stream.poll_write(cx, parts),
            Err(done) => Poll::Ready(done),
        }
    }

    fn sends_files(&self) -> bool {
        true
    }

    fn poll_write_before_file(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_with(cx, |socket| send_before_more(socket, bytes))
    }

    fn poll_send_file(
        &mut self,
        cx: &mut Context<'_>,
        part: &FilePart<'_>,
    ) -> Poll<io::Result<usize>> {
        self.poll_with(cx, |socket| send_file(socket, part))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.watched(|socket| socket.shutdown(Shutdown::Write)) {
            Ok(stream) => Io::poll_shutdown(stream, cx),
            Err(done) => Poll::Ready(done),
        }
    }

    fn abort(&mut self) {
        match &mut self.0 {
            // Makes the close send a reset, as for a registered socket.
            Registration::Unwatched(socket) => {
                let _ = set_socket_linger(&*socket, Some(Duration::ZERO));
            }
            Registration::Watched(stream) => stream.abort(),
            Registration::Broken => {}
        }
    }

    fn is_watched(&self) -> bool {
        !matches!(self.0, Registration::Unwatched(_))
    }

    fn is_tls(&self) -> bool {
        false
    }

    fn local(&self) -> Option<SocketAddr> {
        let address = match &self.0 {
            Registration::Unwatched(socket) => socket.local_addr(),
            Registration::Watched(stream) => stream.local_addr(),
            Registration::Broken => return None,
        };
        address.ok()
    }
}
