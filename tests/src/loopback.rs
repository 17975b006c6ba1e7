//! A server on a loopback port, without a protocol: it accepts connections and runs a task for each.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// A server on its own loopback port. Dropping it closes the port and its connections.
#[derive(Debug)]
pub struct LoopbackServer {
    address: SocketAddr,
    _accepting: Accepting,
}

impl LoopbackServer {
    /// Starts a server that runs `serve` for each connection. Connections have `TCP_NODELAY`.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start<S>(serve: impl FnMut(TcpStream) -> S + Send + 'static) -> Self
    where
        S: Future<Output: Send> + Send + 'static,
    {
        Self::start_at(([127, 0, 0, 1], 0).into(), serve).await
    }

    /// Like [`LoopbackServer::start`], at `address`.
    ///
    /// # Panics
    /// If the address is in use.
    pub async fn start_at<S>(
        address: SocketAddr,
        serve: impl FnMut(TcpStream) -> S + Send + 'static,
    ) -> Self
    where
        S: Future<Output: Send> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await;
        Self::on(listener.expect("the loopback port is free"), serve)
    }

    /// Like [`LoopbackServer::start`], on a listener that is already bound.
    ///
    /// # Panics
    /// If the listener has no address.
    pub fn on<S>(listener: TcpListener, serve: impl FnMut(TcpStream) -> S + Send + 'static) -> Self
    where
        S: Future<Output: Send> + Send + 'static,
    {
        let address = listener.local_addr();
        Self {
            address: address.expect("a bound socket has an address"),
            _accepting: Accepting::start(listener, serve),
        }
    }

    /// Returns the listener's address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// An accept loop. Dropping it closes the listener and its connections.
#[derive(Debug)]
pub(crate) struct Accepting(JoinHandle<()>);

impl Accepting {
    /// Runs `serve` for each connection to the listener.
    pub(crate) fn start<L, S>(
        listener: L,
        mut serve: impl FnMut(L::Stream) -> S + Send + 'static,
    ) -> Self
    where
        L: Listener,
        S: Future<Output: Send> + Send + 'static,
    {
        Self(tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok(stream) = listener.next().await {
                connections.spawn(serve(stream));
                while connections.try_join_next().is_some() {}
            }
        }))
    }
}

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A bound listener, TCP or unix.
pub(crate) trait Listener: Send + 'static {
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Waits for the next connection.
    fn next(&self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn next(&self) -> io::Result<TcpStream> {
        let (stream, _) = self.accept().await?;
        let _ = stream.set_nodelay(true);
        Ok(stream)
    }
}

impl Listener for UnixListener {
    type Stream = UnixStream;

    async fn next(&self) -> io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}
