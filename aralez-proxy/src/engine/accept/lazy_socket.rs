//! A client's accepted socket, registered with the runtime only when it must be waited for. A client with a single request is usually
//! served and gone before that, which saves the syscalls of the registration.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream as Socket};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;
use tokio::net::TcpStream;

use crate::engine::io::Io;

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

    fn watch(&mut self) -> io::Result<()> {
        if let Registration::Unwatched(socket) =
            std::mem::replace(&mut self.0, Registration::Broken)
        {
            self.0 = Registration::Watched(TcpStream::from_std(socket)?);
        }
        Ok(())
    }
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
