//! An HTTP/1 origin that records every request and sends scripted answers.

use parking_lot::Mutex;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

use crate::byte_reader::ByteReader;
use crate::loopback::{Accepting, Listener};

mod answer;
mod received;
pub use answer::{AnswerEnding, ScriptedAnswer};
pub use received::Received;

/// An origin on its own loopback port or on a unix socket. Dropping it closes its port and its connections, and removes its socket.
#[derive(Debug)]
pub struct Origin {
    at: At,
    state: Arc<Mutex<State>>,
    _accepting: Accepting,
}

#[derive(Debug)]
enum At {
    Port(SocketAddr),
    Socket(PathBuf),
}

#[derive(Debug)]
struct State {
    requests: Vec<Received>,
    answer: AnswerRule,
    once: Vec<ScriptedAnswer>,
    connections: u64,
}

/// Makes the answer to a request.
struct AnswerRule(Box<dyn Fn(&Received) -> ScriptedAnswer + Send>);

impl AnswerRule {
    fn always(answer: ScriptedAnswer) -> Self {
        Self(Box::new(move |_| answer.clone()))
    }
}

impl fmt::Debug for AnswerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnswerRule")
    }
}

impl Origin {
    /// Starts an origin that answers 200 with `body`.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start(body: &str) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), body).await
    }

    /// Like [`Origin::start`], at `address`.
    ///
    /// # Panics
    /// If the address is in use.
    pub async fn start_at(address: SocketAddr, body: &str) -> Self {
        let listener = TcpListener::bind(address).await;
        let listener = listener.expect("the loopback port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        Self::listening(At::Port(address), listener, body)
    }

    /// Like [`Origin::start`], on a unix socket at `path`.
    ///
    /// # Panics
    /// If the socket cannot be bound.
    pub fn start_on_socket(path: &Path, body: &str) -> Self {
        let listener = UnixListener::bind(path).expect("the socket can be bound");
        Self::listening(At::Socket(path.to_owned()), listener, body)
    }

    fn listening(at: At, listener: impl Listener, body: &str) -> Self {
        let state = Arc::new(Mutex::new(State {
            requests: Vec::new(),
            answer: AnswerRule::always(ScriptedAnswer::ok(body)),
            once: Vec::new(),
            connections: 0,
        }));
        let shared = Arc::clone(&state);
        let accepting = Accepting::start(listener, move |stream| {
            let number = {
                let mut state = shared.lock();
                state.connections += 1;
                state.connections
            };
            serve(stream, number, Arc::clone(&shared))
        });
        Self {
            at,
            state,
            _accepting: accepting,
        }
    }

    /// Returns its address.
    ///
    /// # Panics
    /// If it listens on a unix socket.
    pub fn address(&self) -> SocketAddr {
        match &self.at {
            At::Port(address) => *address,
            At::Socket(path) => panic!("listens on {}", path.display()),
        }
    }

    /// Returns its endpoint in the notation of documents.
    pub fn endpoint(&self) -> String {
        match &self.at {
            At::Port(address) => address.to_string(),
            At::Socket(path) => format!("unix:{}", path.display()),
        }
    }

    /// Sets the answer to all following requests.
    pub fn answer_with(&self, answer: ScriptedAnswer) {
        self.state.lock().answer = AnswerRule::always(answer);
    }

    /// Sets how the answer to each following request is made from it.
    pub fn answer_by(&self, rule: impl Fn(&Received) -> ScriptedAnswer + Send + 'static) {
        self.state.lock().answer = AnswerRule(Box::new(rule));
    }

    /// Queues an answer for one request. Queued answers are used in order, before those of [`Origin::answer_with`] and
    /// [`Origin::answer_by`].
    pub fn answer_once(&self, answer: ScriptedAnswer) {
        self.state.lock().once.insert(0, answer);
    }

    /// Returns all requests so far.
    pub fn requests(&self) -> Vec<Received> {
        self.state.lock().requests.clone()
    }

    /// Returns the number of requests so far.
    pub fn count(&self) -> usize {
        self.state.lock().requests.len()
    }

    /// Returns the latest request.
    ///
    /// # Panics
    /// If there was none.
    pub fn last(&self) -> Received {
        let last = self.state.lock().requests.last().cloned();
        last.expect("the origin got a request")
    }

    /// Returns the number of connections accepted so far.
    pub fn connections(&self) -> u64 {
        self.state.lock().connections
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if let At::Socket(path) = &self.at {
            let _ = std::fs::remove_file(path);
        }
    }
}

async fn serve<S>(stream: S, connection: u64, state: Arc<Mutex<State>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut reader = ByteReader::new(stream);
    while let Some(request) = received::read(&mut reader, connection).await {
        let head_only = request.method() == "HEAD";
        let answer = {
            let mut state = state.lock();
            let answer = state.once.pop();
            let answer = answer.unwrap_or_else(|| (state.answer.0)(&request));
            state.requests.push(request);
            answer
        };
        tokio::time::sleep(answer.delay).await;
        let bytes = answer.bytes(head_only);
        if reader.stream().write_all(&bytes).await.is_err() {
            return;
        }
        match answer.ending {
            AnswerEnding::KeepAlive => {}
            AnswerEnding::Close => return,
            AnswerEnding::Stall => std::future::pending().await,
            AnswerEnding::Echo => return echo(reader).await,
        }
    }
}

async fn echo(mut reader: ByteReader<impl AsyncRead + AsyncWrite + Unpin>) {
    loop {
        let bytes = reader.take_buffered();
        if reader.stream().write_all(&bytes).await.is_err() || reader.more().await.is_err() {
            return;
        }
    }
}
