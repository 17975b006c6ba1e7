//! A slow endpoint that records when each of its connections closed.

use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::WriteHalf;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::Instant;

use super::kind::{Drip, Far, Kind, SEGMENT};
use crate::byte_reader::ByteReader;
use crate::loopback::LoopbackServer;
use crate::unreachable::Unreachable;

/// An endpoint that does not read starts to read this long after its limit, when the exchange must be over.
const READS_LATER: Duration = Duration::from_millis(2_500);
const BACKLOG: u32 = 1024;
const RECEIVE_BUFFER: u32 = 8 << 10;
const SEND_BUFFER: u32 = 64 << 10;
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
    Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// The endpoint of one kind. Dropping it closes all connections.
#[derive(Debug)]
pub struct FarEndpoint {
    listener: FarListener,
    lives: Arc<Mutex<Lives>>,
}

#[derive(Debug)]
enum FarListener {
    Serving(LoopbackServer),
    /// Its accept queue is full.
    Unreachable(Unreachable),
}

/// Statistics of an endpoint's connections.
#[derive(Clone, Debug, Default)]
pub struct Lives {
    /// Number of accepted connections.
    pub accepted: usize,
    /// For each closed connection, the time from the endpoint's last action other than the drip to its close.
    pub ended: Vec<Duration>,
}

impl FarEndpoint {
    /// Starts the endpoint of a kind.
    ///
    /// # Panics
    /// Panics if no port is free.
    pub async fn start(kind: &Kind) -> Self {
        let lives = Arc::<Mutex<Lives>>::default();
        if matches!(kind.far, Far::Unreachable) {
            let listener = FarListener::Unreachable(Unreachable::start().await);
            return Self { listener, lives };
        }
        let listener = listen().expect("a loopback port is free");
        let (kind, shared) = (Arc::new(kind.clone()), Arc::clone(&lives));
        let server = LoopbackServer::on(listener, move |stream| {
            shared.lock().accepted += 1;
            let (kind, lives) = (Arc::clone(&kind), Arc::clone(&shared));
            async move {
                let last = serve(stream, &kind).await;
                lives.lock().ended.push(last.elapsed());
            }
        });
        Self {
            listener: FarListener::Serving(server),
            lives,
        }
    }

    /// Returns the listening address.
    pub fn address(&self) -> SocketAddr {
        match &self.listener {
            FarListener::Serving(server) => server.address(),
            FarListener::Unreachable(unreachable) => unreachable.address(),
        }
    }

    /// Returns the statistics since the last call, and resets them.
    pub fn take_lives(&self) -> Lives {
        std::mem::take(&mut *self.lives.lock())
    }

    /// Returns the statistics so far.
    pub fn lives(&self) -> Lives {
        self.lives.lock().clone()
    }
}

fn listen() -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // Accepted sockets inherit these small buffers, so that an endpoint that does not read, or cannot write, stalls early.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    SockRef::from(&socket).set_tcp_mss(SEGMENT)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    socket.listen(BACKLOG)
}

/// Serves until the connection closes. Returns the time of the last action other than the drip.
async fn serve(mut stream: TcpStream, kind: &Kind) -> Instant {
    let mut last = Instant::now();
    while head(&mut stream).await.is_some() {
        last = Instant::now();
        match &kind.far {
            Far::Good => {
                let _ = stream.write_all(OK).await;
                last = Instant::now();
            }
            Far::Unreachable => return last,
            Far::Large(count) => return pour(&mut stream, *count).await,
            Far::Tunnel => {
                let _ = stream.write_all(SWITCH).await;
                let last = Instant::now();
                read_to_end(&mut stream).await;
                return last;
            }
            Far::Slow {
                reads,
                opening,
                drip,
            } => {
                let _ = stream.write_all(opening.as_bytes()).await;
                if !reads {
                    // Unread data hides the close from this side, so read once the exchange should be over.
                    tokio::time::sleep(kind.limit + READS_LATER).await;
                }
                slow(&mut stream, *drip).await;
                return last;
            }
        }
    }
    last
}

/// Reads the head of a request and discards it with whatever arrived along with it; `None` if the connection closes first.
async fn head(stream: &mut TcpStream) -> Option<()> {
    ByteReader::new(stream).head().await.ok().map(drop)
}

async fn pour(stream: &mut TcpStream, count: u64) -> Instant {
    let mut last = Instant::now();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {count}\r\n\r\n");
    let (mut read, mut write) = stream.split();
    let mut left = count as usize;
    let pouring = async {
        let bytes = vec![b'x'; 16 << 10];
        let mut sent = write.write_all(head.as_bytes()).await;
        while sent.is_ok() && left > 0 {
            let piece = bytes.len().min(left);
            sent = write.write_all(&bytes[..piece]).await;
            if sent.is_ok() {
                (left, last) = (left - piece, Instant::now());
            }
        }
    };
    let mut byte = [0];
    tokio::select! { () = pouring => {}, _ = read.read(&mut byte) => {} }
    last
}

/// Sends the drip and reads until the connection closes.
async fn slow(stream: &mut TcpStream, drip: Option<Drip>) {
    let (mut read, mut write) = stream.split();
    let reading = async {
        let mut bytes = vec![0; 16 << 10];
        while matches!(read.read(&mut bytes).await, Ok(1..)) {}
    };
    tokio::select! { () = trickle(&mut write, drip) => {}, () = reading => {} }
}

/// Sends the drip while the connection accepts it, and never completes.
async fn trickle(write: &mut WriteHalf<'_>, drip: Option<Drip>) {
    if let Some(drip) = drip {
        for piece in drip.stream() {
            if write.write_all(piece).await.is_err() {
                break;
            }
            tokio::time::sleep(drip.pause).await;
        }
    }
    std::future::pending::<()>().await;
}

async fn read_to_end(stream: &mut TcpStream) {
    let mut bytes = [0; 1024];
    while matches!(stream.read(&mut bytes).await, Ok(1..)) {}
}
