//! One connection of a client, from its first byte to its end.
//!
//! While it waits it holds nothing but its socket and a timer. What a request needs is taken when bytes are there, kept for a moment in
//! case the next request follows, and given back.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::core::admission::{Admitted, IdlePlace};
use crate::core::request::edits::Forwarded;
use crate::core::traffic::{Arriving, ConnectionState, InState};
use crate::engine::io::Io;
use crate::engine::io::timer::Timer;
use crate::engine::shutdown::ShutdownSignal;
use crate::engine::threads::context::{ExchangeBuffers, ThreadContext};
use reading::HeadError;

mod linger;
mod reading;
mod serving;
mod waiting;

/// One client.
#[derive(Debug)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// Its place within the limits of connections.
    pub admitted: Option<Admitted>,
    /// Counts it until it is counted as a connection.
    pub arriving: Option<Arriving>,
}

/// The connection. Dropped in the middle of an exchange or a tunnel, as at the end of the grace period, it is reset: a client must not
/// take what it has for the whole.
struct Connection<C: Io> {
    io: C,
    worker: Arc<ThreadContext>,
    timer: Timer,
    state: InState,
    forwarded: Forwarded,
    address: IpAddr,
    closing: ShutdownSignal,
    /// When it ends if it is idle then, because the node leaves.
    leaves: Option<Instant>,
    admitted: Option<Admitted>,
    /// Where it stands while it is idle, from its first wait on.
    place: Option<IdlePlace>,
    /// It was told to make room for a new connection.
    yields: bool,
    /// It came to its own end.
    ended: bool,
    /// Requests that were served.
    served: u32,
    /// Since when it is idle, or was accepted.
    since: Instant,
    /// When its task was woken last, about.
    now: Instant,
}

/// What follows a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Disposition {
    /// The next request.
    Request,
    /// Nothing: it is idle.
    Idle,
    /// The end, at once.
    Close,
    /// The end, after what the client still sends was read away for a while, so that our answer is not lost to it.
    Linger(linger::Longest),
}

impl Disposition {
    /// The end, for a client that may still be sending.
    pub(super) const LINGER: Self = Self::Linger(linger::Longest::Usual);

    /// The same for one that was too slow already.
    pub(super) const LINGER_BRIEFLY: Self = Self::Linger(linger::Longest::Brief);
}

/// What waiting for bytes brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ReadOutcome {
    Bytes,
    /// Nothing, for as long as it was waited for.
    Nothing,
    /// The client is gone, or the connection is to end.
    End,
}

/// Serves a client until one of both sides ends it.
///
/// Returns a block instead of being an `async fn`, whose future would also keep the arguments, for as long as the connection is idle.
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
            // Boxed, so that a connection that waits is small.
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
    /// It came to its own end: it is closed, not reset.
    const fn end(&mut self) {
        self.ended = true;
    }

    /// Serves requests for as long as they follow each other.
    async fn run(&mut self) -> Disposition {
        let mut buffers = self.worker.lend_buffers();
        let next = loop {
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
