//! An endpoint behind a network that drops every packet: connects are never answered.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// A loopback address whose accept queue is full. Dropping it makes the address refuse connections.
#[derive(Debug)]
pub struct Unreachable {
    address: SocketAddr,
    _listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl Unreachable {
    /// Binds an address and fills its accept queue.
    ///
    /// # Panics
    /// Panics if no port is free.
    pub async fn start() -> Self {
        let listener = listen().expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        Self {
            address,
            _queue: fill(address).await,
            _listener: listener,
        }
    }

    /// Returns the address that does not answer.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

fn listen() -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    socket.listen(0)
}

/// Connects until a connect is no longer answered.
async fn fill(address: SocketAddr) -> Vec<TcpStream> {
    let mut queue = Vec::new();
    let limit = Duration::from_millis(200);
    while let Ok(stream) = tokio::time::timeout(limit, TcpStream::connect(address)).await {
        queue.push(stream.expect("the loopback refuses nothing"));
    }
    queue
}
