//! The endpoint of a pool that attackers and victims share: good to victims, and to attackers what their target says.
//!
//! It takes a request only where it is in order, reads bodies as their framing says, and keeps whatever was odd: a byte too many on
//! a connection shows up as a request that is none. One target makes it answer at the head and take the body for requests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use self::answer::{After, answer};
use self::incoming::{Incoming, IncomingRequest};

mod answer;
mod incoming;

/// How it treats everybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Manners {
    /// It closes a connection after so many requests, without saying so.
    pub requests: Option<usize>,
    /// It closes a connection on which nothing came for so long.
    pub idle: Option<Duration>,
}

/// What it saw.
#[derive(Clone, Debug, Default)]
pub struct SeenByEndpoint {
    /// Connections.
    pub connections: u64,
    /// Requests of victims.
    pub victims: u64,
    /// Requests of victims on a connection that was used before.
    pub reused: u64,
    /// Requests of attackers.
    pub attacks: u64,
    /// Requests of attackers on a connection that had served a victim.
    pub beside: u64,
    /// What was not in order, the first of it.
    pub odd: Vec<String>,
}

const SHOWN: usize = 5;
/// So long it waits for bytes that it does not take before it ends its answer.
const UNTAKEN: Duration = Duration::from_millis(20);

type Writer = Arc<tokio::sync::Mutex<OwnedWriteHalf>>;

#[derive(Debug, Default)]
struct State {
    manners: Mutex<Manners>,
    seen: Mutex<SeenByEndpoint>,
    writers: Mutex<BTreeMap<u64, Writer>>,
}

/// A running endpoint. Dropping it closes all.
#[derive(Debug)]
pub struct TrickEndpoint {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

impl TrickEndpoint {
    /// Starts it.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let state = Arc::default();
        let task = tokio::spawn(accept(listener, Arc::clone(&state)));
        Self {
            address,
            state,
            task,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Treats everybody so from now on, and forgets what it saw.
    pub fn behave(&self, manners: Manners) {
        *lock(&self.state.manners) = manners;
        *lock(&self.state.seen) = SeenByEndpoint::default();
    }

    /// What it saw since.
    pub fn seen(&self) -> SeenByEndpoint {
        lock(&self.state.seen).clone()
    }

    /// Sends an answer on every connection, asked for or not; how many there were.
    pub async fn speak_unasked(&self) -> usize {
        let writers: Vec<_> = lock(&self.state.writers).values().cloned().collect();
        for writer in &writers {
            // One that is closed already is none to speak on.
            let _ = writer.lock().await.write_all(answer::FORGED).await;
        }
        writers.len()
    }
}

impl Drop for TrickEndpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let number = {
            let mut seen = lock(&state.seen);
            seen.connections += 1;
            seen.connections
        };
        connections.spawn(connection(stream, Arc::clone(&state), number));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, state: Arc<State>, number: u64) {
    let _ = stream.set_nodelay(true);
    let key = number ^ crate::ports::random() << 32;
    let (read, write) = stream.into_split();
    let writer = Arc::new(tokio::sync::Mutex::new(write));
    lock(&state.writers).insert(key, Arc::clone(&writer));
    if let Err(odd) = serve(Incoming::new(read), &writer, &state).await {
        let mut seen = lock(&state.seen);
        seen.odd.push(odd);
        seen.odd.truncate(SHOWN);
    }
    lock(&state.writers).remove(&key);
}

/// What was on a connection before.
#[derive(Debug, Default)]
struct Past {
    requests: usize,
    victims: usize,
    /// It answered a request without its body, so that this is next.
    untaken: bool,
}

/// Answers in two parts, the second once bytes came that are not taken, or after a while.
async fn answer_untaken(request: &IncomingRequest, incoming: &mut Incoming, writer: &Writer) {
    let [first, second] = answer::untaken(&request.target);
    let mut writer = writer.lock().await;
    // One that is closed already is none to speak on.
    let _ = writer.write_all(first).await;
    if !second.is_empty() {
        let _ = tokio::time::timeout(UNTAKEN, incoming.more()).await;
        let _ = writer.write_all(second).await;
    }
}

/// Serves until the connection ends; `Err` says what was odd on it.
async fn serve(mut incoming: Incoming, writer: &Writer, state: &State) -> Result<(), String> {
    let mut past = Past::default();
    loop {
        let manners = *lock(&state.manners);
        let patience = manners.idle.filter(|_| past.requests > 0);
        let request = match incoming.head(patience).await {
            // What it did not take of a body need not be a request.
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
        let mut seen = lock(&self.seen);
        match request.is_victim() {
            true => {
                seen.victims += 1;
                seen.reused += u64::from(past.requests > 0);
                past.victims += 1;
            }
            false => {
                seen.attacks += 1;
                seen.beside += u64::from(past.victims > 0);
            }
        }
        past.requests += 1;
    }
}

fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
