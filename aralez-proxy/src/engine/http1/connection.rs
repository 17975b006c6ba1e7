//! One client connection, from its first byte to its close.
//!
//! While idle it holds only its socket and a timer. Buffers are allocated when bytes arrive, kept briefly in case another request follows,
//! and given back.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::core::admission::{Admitted, IdlePlace};
use crate::core::request::listener_role::ListenerRole;
use crate::core::traffic::{Arriving, ConnectionState, InState};
use crate::engine::io::Io;
use crate::engine::io::timer::Timer;
use crate::engine::shutdown::ShutdownSignal;
use crate::engine::threads::context::{ExchangeBuffers, ThreadContext};
use aralez_decision::edits::Forwarded;
use reading::HeadError;

mod linger;
mod reading;
mod serving;
mod waiting;

/// An accepted client.
#[derive(Debug)]
pub struct Client {
    /// The client's address.
    pub address: IpAddr,
    /// The role of its listener.
    pub role: ListenerRole,
    /// Its slot in the connection limits.
    pub admitted: Option<Admitted>,
    /// Counts the client until it is counted as a connection.
    pub arriving: Option<Arriving>,
}

/// A client connection. If it is dropped during an exchange or a tunnel, as at the end of the grace period, it is reset, so that the client
/// cannot mistake a truncated response for a complete one.
struct Connection<C: Io> {
    io: C,
    worker: Arc<ThreadContext>,
    timer: Timer,
    state: InState,
    forwarded: Forwarded,
    address: IpAddr,
    role: ListenerRole,
    closing: ShutdownSignal,
    /// When the connection closes if it is idle, set once the node is leaving.
    leaves: Option<Instant>,
    admitted: Option<Admitted>,
    /// Its entry among the idle connections, from its first wait on.
    place: Option<IdlePlace>,
    /// It was asked to make way for a new connection.
    yields: bool,
    /// It completed normally: do not reset it.
    ended: bool,
    /// Number of requests served.
    served: u32,
    /// Start of the current idle period; before the first request, the time of accept.
    since: Instant,
    /// The approximate time of the last wakeup of its task.
    now: Instant,
}

/// Next step of a connection after a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Disposition {
    /// Read the next request.
    Request,
    /// No further request yet: wait.
    Idle,
    /// Close immediately.
    Close,
    /// Half-close, discard what the client still sends for a while, then close, so that a reset does not destroy our answer.
    Linger(linger::Longest),
}

impl Disposition {
    /// Lingering close for a client that may still be sending.
    pub(super) const LINGER: Self = Self::Linger(linger::Longest::Usual);

    /// Short lingering close for a client that already exceeded a timeout.
    pub(super) const LINGER_BRIEFLY: Self = Self::Linger(linger::Longest::Brief);
}

/// The result of waiting for bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ReadOutcome {
    Bytes,
    /// Nothing arrived in time.
    Nothing,
    /// The client is gone, or the connection is to close.
    End,
}

/// Serves a client until either side closes the connection.
///
/// Returns a block instead of being an `async fn`, whose future would retain the arguments for as long as the connection is idle.
pub fn serve<C: Io>(
    io: C,
    client: Client,
    worker: Arc<ThreadContext>,
    closing: ShutdownSignal,
) -> impl Future<Output = ()> + Send {
    let now = Instant::now();
    let mut connection = Connection {
        state: worker.tally.connections.enter(ConnectionState::Idle),
        forwarded: Forwarded::new(client.address, io.is_tls()),
        address: client.address,
        role: client.role,
        io,
        timer: Timer::default(),
        closing,
        leaves: None,
        admitted: client.admitted,
        place: None,
        yields: false,
        ended: false,
        served: 0,
        since: now,
        now,
        worker,
    };
    drop(client.arriving);
    async move {
        while connection.wait().await == ReadOutcome::Bytes {
            connection.now = Instant::now();
            // Boxed, which keeps the future of an idle connection small.
            match Box::pin(connection.run()).await {
                Disposition::Idle | Disposition::Request => {}
                Disposition::Close => break,
                Disposition::Linger(longest) => {
                    connection.linger(longest).await;
                    break;
                }
            }
        }
        connection.end();
    }
}

impl<C: Io> Connection<C> {
    /// Marks a normal end: the connection is closed, not reset.
    const fn end(&mut self) {
        self.ended = true;
    }

    /// Serves requests while they follow each other without a pause.
    async fn run(&mut self) -> Disposition {
        let mut buffers = self.worker.lend_buffers();
        let next = loop {
            // RFC 9112 section 9.3.2: the responses to pipelined requests are sent in the order of the requests.
            match self.request(&mut buffers).await {
                Disposition::Request => {}
                next => break next,
            }
        };
        self.worker.take_back(buffers);
        next
    }

    /// Reads a request and serves it.
    async fn request(&mut self, buffers: &mut ExchangeBuffers) -> Disposition {
        buffers.client.head.clear();
        match self.read_head(&mut buffers.client).await {
            Ok(Some(length)) => self.serve_request(buffers, length).await,
            Ok(None) => Disposition::Idle,
            Err(HeadError::Gone) => Disposition::Close,
            Err(HeadError::Refused(refusal)) => self.refuse(buffers, refusal).await,
        }
    }
}

impl<C: Io> Drop for Connection<C> {
    fn drop(&mut self) {
        let within = matches!(
            self.state.state(),
            ConnectionState::Exchange | ConnectionState::Tunnel
        );
        if within && !self.ended {
            self.io.abort();
        }
    }
}
