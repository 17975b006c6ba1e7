//! Both sides of a proxy in one thread: the load downstream, the origin upstream.
//!
//! Both use one epoll instance, so that the core they share pays for no context switches between two processes. The loop is closed:
//! each connection sends its next request once the previous response is complete.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use super::client::{Client, Step};
use super::origin::{BIT, Origin};

const SCRATCH: usize = 256 * 1024;
const EVENTS: usize = 256;
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 5_000_000,
};
/// Time that requests in flight at the end of a round have to complete.
const PATIENCE: Duration = Duration::from_secs(3);
/// Failures after which a round is aborted, because it no longer measures anything.
const FAILURES: u64 = 10_000;
const SHOWN: usize = 5;
/// Concurrent connects in [`Peers::hold`].
const AT_ONCE: usize = 32;

/// Requests to send, and their target.
#[derive(Clone, Debug)]
pub struct Round {
    /// The proxy's address.
    pub address: SocketAddr,
    /// The requests, sent round-robin.
    pub requests: Vec<Vec<u8>>,
    /// Number of concurrent connections.
    pub connections: usize,
}

/// Results of a round.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Complete, correct responses.
    pub answered: u64,
    /// Latency of each of these, in nanoseconds.
    pub latencies: Vec<u32>,
    /// Requests without a complete, correct response.
    pub failed: u64,
    /// Reasons of the first failures.
    pub reasons: Vec<String>,
    /// Connections that the load opened.
    pub opened: u64,
}

/// All sockets of the load thread.
pub struct Peers {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
    scratch: Vec<u8>,
    /// The origin.
    pub origin: Origin,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = out.debug_struct("Peers");
        out.field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl Peers {
    /// Creates the epoll instance and starts the origin.
    ///
    /// # Errors
    /// If a system call fails.
    pub fn new() -> Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let origin = Origin::new(epoll.as_fd())?;
        Ok(Self {
            epoll,
            events: Vec::with_capacity(EVENTS),
            scratch: vec![0; SCRATCH],
            origin,
        })
    }

    /// Starts a round: opens its connections and sends the first request on each.
    pub fn open<'a>(&'a mut self, round: &'a Round) -> Session<'a> {
        let mut session = self.session(round, true);
        for _ in 0..round.connections {
            session.add(None);
        }
        session
    }

    /// Opens the connections of a round gradually, sends one request on each, and leaves them idle.
    ///
    /// # Errors
    /// If any request gets no response.
    pub fn hold<'a>(&'a mut self, round: &'a Round) -> Result<Session<'a>> {
        let mut session = self.session(round, false);
        for index in 0..round.connections {
            while session.asking > AT_ONCE {
                session.turn()?;
            }
            // Spread over 100 source addresses, so that per-client connection limits do not apply.
            let from = Ipv4Addr::new(127, 0, 1, 1 + (index % 100) as u8);
            session.add(Some(from));
        }
        let end = Instant::now() + PATIENCE;
        while session.asking > 0 && Instant::now() < end {
            session.turn()?;
        }
        if session.tally.answered != round.connections as u64 {
            bail!("not all connections are open: {:?}", session.tally);
        }
        Ok(session)
    }

    fn session<'a>(&'a mut self, round: &'a Round, goes_on: bool) -> Session<'a> {
        Session {
            peers: self,
            round,
            goes_on,
            clients: Vec::new(),
            next: 0,
            asking: 0,
            tally: Tally::default(),
        }
    }
}

/// A running round.
#[derive(Debug)]
pub struct Session<'a> {
    peers: &'a mut Peers,
    round: &'a Round,
    /// Set if each response is followed by the next request.
    goes_on: bool,
    clients: Vec<Slot>,
    next: usize,
    asking: usize,
    tally: Tally,
}

/// Holds one connection of the load, and its successors.
#[derive(Debug)]
struct Slot {
    client: Option<Client>,
    from: Option<Ipv4Addr>,
    request: usize,
}

impl Session<'_> {
    /// Runs the round for `length`. Returns the results of that time.
    ///
    /// # Errors
    /// If too many requests fail.
    pub fn run(&mut self, length: Duration) -> Result<Tally> {
        self.tally = Tally::default();
        let end = Instant::now() + length;
        while Instant::now() < end {
            self.turn()?;
        }
        Ok(std::mem::take(&mut self.tally))
    }

    /// Runs the round until `answers` responses have arrived, or until `longest` has passed.
    ///
    /// # Errors
    /// If too many requests fail.
    pub fn run_until(&mut self, answers: u64, longest: Duration) -> Result<Tally> {
        self.tally = Tally::default();
        let end = Instant::now() + longest;
        while self.tally.answered < answers && Instant::now() < end {
            self.turn()?;
        }
        Ok(std::mem::take(&mut self.tally))
    }

    /// Sends no further requests and waits for those in flight; requests without a response by then count as failed.
    ///
    /// # Errors
    /// If too many requests fail.
    pub fn finish(mut self) -> Result<Tally> {
        self.tally = Tally::default();
        self.goes_on = false;
        let end = Instant::now() + PATIENCE;
        while self.asking > 0 && Instant::now() < end {
            self.turn()?;
        }
        for _ in 0..self.asking {
            self.fail("no response before the end of the round".to_owned());
        }
        Ok(std::mem::take(&mut self.tally))
    }

    /// Returns the number of connections the origin has accepted so far.
    pub fn accepted(&self) -> u64 {
        self.peers.origin.accepted
    }

    /// Returns the number of open connections of the load.
    pub fn open(&self) -> usize {
        let clients = self.clients.iter();
        clients.filter(|slot| slot.client.is_some()).count()
    }

    fn turn(&mut self) -> Result<()> {
        let mut events = std::mem::take(&mut self.peers.events);
        events.clear();
        let buffer = rustix::buffer::spare_capacity(&mut events);
        match epoll::wait(&self.peers.epoll, buffer, Some(&TICK)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let token = event.data.u64();
            let peers = &mut *self.peers;
            match token & BIT {
                0 => self.client(token as usize),
                _ => peers
                    .origin
                    .turn(peers.epoll.as_fd(), token, &mut peers.scratch),
            }
        }
        self.peers.events = events;
        if self.goes_on {
            self.reopen();
        }
        match self.tally.failed {
            FAILURES.. => bail!("too many failures: {:?}", self.tally.reasons),
            _ => Ok(()),
        }
    }

    fn client(&mut self, index: usize) {
        let Some(slot) = self.clients.get_mut(index) else {
            return;
        };
        let Some(client) = &mut slot.client else {
            return;
        };
        let request = &self.round.requests[slot.request];
        let asked = client.asks();
        let step = client.turn(request, &mut self.peers.scratch);
        self.took(index, asked, step);
    }

    /// Handles the outcome of a connection's turn.
    fn took(&mut self, index: usize, asked: bool, step: Step) {
        match step {
            Step::Wait => return,
            Step::Answered { nanoseconds } => {
                self.tally.answered += 1;
                self.tally.latencies.push(nanoseconds);
            }
            Step::Closed => {
                self.clients[index].client = None;
            }
            Step::Failed(reason) => {
                self.clients[index].client = None;
                self.fail(reason);
            }
        }
        self.asking -= usize::from(asked);
        if self.goes_on {
            self.ask(index);
        }
    }

    /// Sends the next request, on the same connection if it is kept alive.
    fn ask(&mut self, index: usize) {
        let slot = &mut self.clients[index];
        match &mut slot.client {
            // Reuse the slot only after the proxy closed the connection. The FIN may have arrived with the response; edge-triggered
            // epoll reports that only once, so read again now.
            Some(client) if client.closes() => {
                if let step @ (Step::Closed | Step::Failed(_)) =
                    client.turn(&[], &mut self.peers.scratch)
                {
                    self.took(index, false, step);
                }
            }
            Some(client) => {
                slot.request = self.next;
                self.next = (self.next + 1) % self.round.requests.len();
                self.asking += 1;
                let step = client.ask(&self.round.requests[slot.request]);
                self.took_sending(index, step);
            }
            None => self.connect(index),
        }
    }

    fn connect(&mut self, index: usize) {
        let slot = &mut self.clients[index];
        let epoll = self.peers.epoll.as_fd();
        self.tally.opened += 1;
        match Client::connect(epoll, index as u64, self.round.address, slot.from) {
            Ok(client) => {
                slot.request = self.next;
                self.next = (self.next + 1) % self.round.requests.len();
                self.asking += 1;
                let client = slot.client.insert(client);
                let step = client.ask_first(&self.round.requests[slot.request]);
                self.took_sending(index, step);
            }
            Err(reason) => self.fail(reason),
        }
    }

    /// Handles the outcome of sending. After a failure the slot stays empty until the next turn; reconnecting here would recurse
    /// endlessly if the proxy is dead.
    fn took_sending(&mut self, index: usize, step: Step) {
        if let Step::Failed(reason) = step {
            self.clients[index].client = None;
            self.asking -= 1;
            self.fail(reason);
        }
    }

    fn reopen(&mut self) {
        if self.asking == self.clients.len() {
            return;
        }
        for index in 0..self.clients.len() {
            if self.clients[index].client.is_none() {
                self.connect(index);
            }
        }
    }

    fn add(&mut self, from: Option<Ipv4Addr>) {
        let index = self.clients.len();
        self.clients.push(Slot {
            client: None,
            from,
            request: 0,
        });
        self.connect(index);
    }

    fn fail(&mut self, reason: String) {
        self.tally.failed += 1;
        if self.tally.reasons.len() < SHOWN {
            self.tally.reasons.push(reason);
        }
    }
}
