//! Both ends of a proxy in one thread: the load in front of it, the origin behind it.
//!
//! One epoll instance for both, so that no switch between two processes is paid on the core that they share. The loop is closed:
//! each connection sends its next request when the answer is there.

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
/// How long the requests that are under way at the end may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// So many failures end a round: it measures nothing any more.
const FAILURES: u64 = 10_000;
const SHOWN: usize = 5;
/// How many of many connections are opened at once.
const AT_ONCE: usize = 32;

/// What to send, and where.
#[derive(Clone, Debug)]
pub struct Round {
    /// The proxy.
    pub address: SocketAddr,
    /// The requests, sent in turn.
    pub requests: Vec<Vec<u8>>,
    /// How many connections.
    pub connections: usize,
}

/// What came back.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Whole answers.
    pub answered: u64,
    /// What each took, in nanoseconds.
    pub latencies: Vec<u32>,
    /// Requests without a whole and right answer.
    pub failed: u64,
    /// The first reasons.
    pub reasons: Vec<String>,
    /// Connections that the load opened.
    pub opened: u64,
}

/// The thread's sockets.
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
    /// With an origin that listens.
    ///
    /// # Errors
    /// Where the system refuses.
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

    /// Begins a round: its connections are opened, each with its first request.
    pub fn open<'a>(&'a mut self, round: &'a Round) -> Session<'a> {
        let mut session = self.session(round, true);
        for _ in 0..round.connections {
            session.add(None);
        }
        session
    }

    /// Opens the connections of a round one after the other, sends one request on each, and keeps them.
    ///
    /// # Errors
    /// When they do not all get their answer.
    pub fn hold<'a>(&'a mut self, round: &'a Round) -> Result<Session<'a>> {
        let mut session = self.session(round, false);
        for index in 0..round.connections {
            while session.asking > AT_ONCE {
                session.turn()?;
            }
            // Several addresses: a limit of connections for each client is no subject here.
            let from = Ipv4Addr::new(127, 0, 1, 1 + (index % 100) as u8);
            session.add(Some(from));
        }
        let end = Instant::now() + PATIENCE;
        while session.asking > 0 && Instant::now() < end {
            session.turn()?;
        }
        if session.tally.answered != round.connections as u64 {
            bail!("only some connections are held: {:?}", session.tally);
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

/// A round that runs.
#[derive(Debug)]
pub struct Session<'a> {
    peers: &'a mut Peers,
    round: &'a Round,
    /// Whether an answer is followed by the next request.
    goes_on: bool,
    clients: Vec<Slot>,
    next: usize,
    asking: usize,
    tally: Tally,
}

/// A place for one connection after the other.
#[derive(Debug)]
struct Slot {
    client: Option<Client>,
    from: Option<Ipv4Addr>,
    request: usize,
}

impl Session<'_> {
    /// Goes on for so long; what came in that time.
    ///
    /// # Errors
    /// When too much fails.
    pub fn run(&mut self, length: Duration) -> Result<Tally> {
        self.tally = Tally::default();
        let end = Instant::now() + length;
        while Instant::now() < end {
            self.turn()?;
        }
        Ok(std::mem::take(&mut self.tally))
    }

    /// Goes on until so many answers came, or until `longest` has passed.
    ///
    /// # Errors
    /// When too much fails.
    pub fn run_until(&mut self, answers: u64, longest: Duration) -> Result<Tally> {
        self.tally = Tally::default();
        let end = Instant::now() + longest;
        while self.tally.answered < answers && Instant::now() < end {
            self.turn()?;
        }
        Ok(std::mem::take(&mut self.tally))
    }

    /// Sends nothing more and waits for what is under way; requests that stay without an answer have failed.
    ///
    /// # Errors
    /// When too much fails.
    pub fn finish(mut self) -> Result<Tally> {
        self.tally = Tally::default();
        self.goes_on = false;
        let end = Instant::now() + PATIENCE;
        while self.asking > 0 && Instant::now() < end {
            self.turn()?;
        }
        for _ in 0..self.asking {
            self.fail("no answer in the end".to_owned());
        }
        Ok(std::mem::take(&mut self.tally))
    }

    /// How many connections the origin was opened so far.
    pub fn accepted(&self) -> u64 {
        self.peers.origin.accepted
    }

    /// How many connections of the load are there.
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
            FAILURES.. => bail!("too much fails: {:?}", self.tally.reasons),
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

    /// Acts on what a connection's turn brought.
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

    /// The next request, on the same connection where it goes on.
    fn ask(&mut self, index: usize) {
        let slot = &mut self.clients[index];
        match &mut slot.client {
            // Until the other side has closed it, which may have come with the answer: that is told only once.
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

    /// A failure while sending leaves the place empty until the next turn, so that a dead proxy is no endless recursion.
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
