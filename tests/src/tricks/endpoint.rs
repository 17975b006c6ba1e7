//! The endpoint of a pool that attackers and victims share: correct for victims, and as malicious as its target requests for attackers.
//!
//! It accepts only well-formed requests, reads bodies by their framing, and records everything odd: an excess byte on a connection shows up
//! as a malformed request. One target makes it answer after the head and treat the body as requests.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use self::answer::{After, answer};
use self::incoming::{Incoming, IncomingRequest};
use crate::loopback::LoopbackServer;

mod answer;
mod incoming;

/// Connection handling that applies to all clients.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Manners {
    /// Number of requests after which it closes a connection without announcing it.
    pub requests: Option<usize>,
    /// Idle time after which it closes a connection.
    pub idle: Option<Duration>,
}

/// Counters of the endpoint.
#[derive(Clone, Debug, Default)]
pub struct SeenByEndpoint {
    /// Connections accepted.
    pub connections: u64,
    /// Requests of victims.
    pub victims: u64,
    /// Requests of victims on a reused connection.
    pub reused: u64,
    /// Requests of attackers.
    pub attacks: u64,
    /// Requests of attackers on a connection that had served a victim before.
    pub after_victim: u64,
    /// The first malformed inputs.
    pub odd: Vec<String>,
}

const SHOWN: usize = 5;
/// Maximum wait for body bytes that it does not consume, before it completes its answer.
const UNTAKEN: Duration = Duration::from_millis(20);

type Writer = Arc<tokio::sync::Mutex<OwnedWriteHalf>>;

#[derive(Debug, Default)]
struct State {
    manners: Mutex<Manners>,
    seen: Mutex<SeenByEndpoint>,
    writers: Mutex<BTreeMap<u64, Writer>>,
}

/// A running endpoint. Dropping it closes all connections.
#[derive(Debug)]
pub struct TrickEndpoint {
    server: LoopbackServer,
    state: Arc<State>,
}

impl TrickEndpoint {
    /// Starts the endpoint.
    ///
    /// # Panics
    /// Panics if no port is free.
    pub async fn start() -> Self {
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        let server = LoopbackServer::start(move |stream| {
            let number = {
                let mut seen = shared.seen.lock();
                seen.connections += 1;
                seen.connections
            };
            connection(stream, Arc::clone(&shared), number)
        });
        Self {
            server: server.await,
            state,
        }
    }

    /// Returns the listening address.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Sets the connection handling, and resets the counters.
    pub fn behave(&self, manners: Manners) {
        *self.state.manners.lock() = manners;
        *self.state.seen.lock() = SeenByEndpoint::default();
    }

    /// Returns the counters since the last [`TrickEndpoint::behave`].
    pub fn seen(&self) -> SeenByEndpoint {
        self.state.seen.lock().clone()
    }

    /// Sends an answer on every open connection, requested or not. Returns the number of connections.
    pub async fn speak_unasked(&self) -> usize {
        let writers: Vec<_> = self.state.writers.lock().values().cloned().collect();
        for writer in &writers {
            // The write fails if the peer has closed the connection already.
            let _ = writer.lock().await.write_all(answer::FORGED).await;
        }
        writers.len()
    }
}

async fn connection(stream: TcpStream, state: Arc<State>, number: u64) {
    let key = number ^ crate::ports::random() << 32;
    let (read, write) = stream.into_split();
    let writer = Arc::new(tokio::sync::Mutex::new(write));
    state.writers.lock().insert(key, Arc::clone(&writer));
    if let Err(odd) = serve(Incoming::new(read), &writer, &state).await {
        let mut seen = state.seen.lock();
        seen.odd.push(odd);
        seen.odd.truncate(SHOWN);
    }
    state.writers.lock().remove(&key);
}

/// The history of a connection.
#[derive(Debug, Default)]
struct Past {
    requests: usize,
    victims: usize,
    /// `true` if it answered a request without consuming the body, which is therefore parsed next.
    untaken: bool,
}

/// Sends the answer in two parts, the second once unconsumed bytes arrive or [`UNTAKEN`] has passed.
async fn answer_untaken(request: &IncomingRequest, incoming: &mut Incoming, writer: &Writer) {
    let [first, second] = answer::untaken(&request.target);
    let mut writer = writer.lock().await;
    // The write fails if the peer has closed the connection already.
    let _ = writer.write_all(first).await;
    if !second.is_empty() {
        let _ = tokio::time::timeout(UNTAKEN, incoming.more()).await;
        let _ = writer.write_all(second).await;
    }
}

/// Serves until the connection closes. `Err` describes the first malformed input.
async fn serve(mut incoming: Incoming, writer: &Writer, state: &State) -> Result<(), String> {
    let mut past = Past::default();
    loop {
        let manners = *state.manners.lock();
        let patience = manners.idle.filter(|_| past.requests > 0);
        let request = match incoming.head(patience).await {
            // An unconsumed body need not parse as a request.
            Err(_) if past.untaken => return Ok(()),
            head => head?,
        };
        let Some(request) = request else {
            return Ok(());
        };
        state.note(&request, &mut past);
        if request.target.starts_with("/a/untaken") {
            past.untaken = true;
            answer_untaken(&request, &mut incoming, writer).await;
            continue;
        }
        let early = request.target.starts_with("/a/early");
        if !early {
            let whole = incoming.body(&request).await?;
            if !whole || !incoming.is_empty(&request)? {
                return Ok(());
            }
        }
        let after = {
            let mut writer = writer.lock().await;
            answer(&request, &mut writer).await
        };
        match after {
            After::Closes => return Ok(()),
            After::Tunnels => return incoming.drain().await,
            After::GoesOn if manners.requests == Some(past.requests) => return Ok(()),
            After::GoesOn if early && !incoming.body(&request).await? => return Ok(()),
            After::GoesOn => {}
        }
    }
}

impl State {
    fn note(&self, request: &IncomingRequest, past: &mut Past) {
        let mut seen = self.seen.lock();
        match request.is_victim() {
            true => {
                seen.victims += 1;
                seen.reused += u64::from(past.requests > 0);
                past.victims += 1;
            }
            false => {
                seen.attacks += 1;
                seen.after_victim += u64::from(past.victims > 0);
            }
        }
        past.requests += 1;
    }
}
