//! An endpoint that keeps every byte it receives, by request and connection, and answers by a script.
//!
//! It frames requests on its own, and strictly: ambiguous framing is a fault, and so is a byte that arrives before the previous request was
//! answered.

use parking_lot::Mutex;
use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::eventually::try_eventually;
use crate::loopback::LoopbackServer;
use crate::pace::Pace;

mod connection;
mod framing;

use connection::RecordedConnection;

/// The answer to one request.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Sent once the head has arrived.
    pub early: Vec<u8>,
    /// Sent once the whole request has arrived.
    pub reply: Reply,
    /// The endpoint's action afterwards.
    pub ending: Ending,
    /// Division of both into writes.
    pub pace: Pace,
}

/// The reply to a complete request.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Reply {
    /// 200 with `METHOD TARGET` as its body.
    #[default]
    Usual,
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing.
    Nothing,
}

/// The endpoint's action after an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ending {
    /// It waits for the next request.
    #[default]
    Open,
    /// It closes the connection.
    Close,
    /// It resets the connection.
    Reset,
}

/// One request as received.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Number of the request, over all connections.
    id: u64,
    /// Number of the connection that it arrived on, from 1.
    pub connection: u64,
    /// Its bytes: head, and body with its framing.
    pub bytes: Vec<u8>,
    /// The length of its head; 0 if the head is incomplete.
    pub head: usize,
    /// The whole request has arrived.
    pub whole: bool,
    /// The whole answer was written.
    pub answered: bool,
}

#[cfg(test)]
impl Exchange {
    /// Creates an exchange with these bytes.
    pub(crate) fn for_tests(bytes: &[u8], head: usize, whole: bool) -> Self {
        Self {
            id: 0,
            connection: 1,
            bytes: bytes.to_vec(),
            head,
            whole,
            answered: whole,
        }
    }
}

/// The endpoint. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Recorder {
    server: LoopbackServer,
    state: Arc<Mutex<State>>,
    hang_up: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    scripts: VecDeque<Script>,
    exchanges: Vec<Exchange>,
    faults: Vec<String>,
    open: BTreeSet<u64>,
    connections: u64,
    requests: u64,
}

impl Recorder {
    /// Starts an endpoint on its own loopback port.
    ///
    /// # Panics
    /// If no port is free.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (hang_up, ends) = watch::channel(());
        let shared = Arc::clone(&state);
        let server = LoopbackServer::start(move |stream| {
            let number = shared.lock().open_next();
            let mut ends = ends.clone();
            ends.mark_unchanged();
            RecordedConnection::new(stream, number, Arc::clone(&shared)).serve(ends)
        });
        Self {
            server: server.await,
            state,
            hang_up,
        }
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Forgets all exchanges and faults, and sets the scripts of the next requests; later requests get the default script.
    pub fn begin(&self, scripts: impl IntoIterator<Item = Script>) {
        let mut state = self.state.lock();
        state.scripts = scripts.into_iter().collect();
        state.exchanges.clear();
        state.faults.clear();
    }

    /// Returns all requests since [`Recorder::begin`].
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.state.lock().exchanges.clone()
    }

    /// Returns all faults since [`Recorder::begin`].
    pub fn faults(&self) -> Vec<String> {
        self.state.lock().faults.clone()
    }

    /// Closes every connection and waits until all are closed.
    ///
    /// # Errors
    /// If one is still open after 3 s.
    pub async fn hang_up(&self) -> Result<(), String> {
        self.hang_up.send_replace(());
        let none = || async {
            let open = self.state.lock().open.len();
            if open == 0 {
                Ok(())
            } else {
                Err(format!("{open} are open"))
            }
        };
        let waited = try_eventually(
            Duration::from_secs(3),
            "no connection to the endpoint is open",
            none,
        );
        waited.await.map(drop)
    }

    /// Waits until a connection is closed.
    ///
    /// # Errors
    /// If it is still open after 3 s.
    pub async fn ends(&self, connection: u64) -> Result<(), String> {
        let ended = || async {
            let open = self.state.lock().open.contains(&connection);
            if open {
                Err("it is open".to_owned())
            } else {
                Ok(())
            }
        };
        let what = format!("the endpoint's connection {connection} ends");
        try_eventually(Duration::from_secs(3), &what, ended)
            .await
            .map(drop)
    }

    /// Waits until the whole answer was written to the request at index `number` of [`Recorder::exchanges`].
    ///
    /// # Errors
    /// If that takes more than 3 s.
    pub async fn has_answered(&self, number: usize) -> Result<(), String> {
        let answered = || async {
            let answered = self
                .state
                .lock()
                .exchanges
                .get(number)
                .is_some_and(|exchange| exchange.answered);
            if answered {
                Ok(())
            } else {
                Err("it has not".to_owned())
            }
        };
        let waited = try_eventually(
            Duration::from_secs(3),
            "the endpoint has written its answer",
            answered,
        );
        waited.await.map(drop)
    }
}

impl State {
    /// Counts a connection and returns its number.
    fn open_next(&mut self) -> u64 {
        self.connections += 1;
        self.open.insert(self.connections);
        self.connections
    }
}
