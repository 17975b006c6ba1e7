//! What the connections of one thread share.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::core::admission::Admission;
use crate::core::limits::{ClientLimits, PoolLimits};
use crate::core::live::Live;
use crate::core::request::additions::Additions;
use crate::core::request::http1::date::DateText;
use crate::core::request::pseudonym::Pseudonym;
use crate::core::request::retry::Budget;
use crate::core::traffic::{Tally, Traffic, TrafficEvent};
use crate::engine::accept::unregistered::UnregisteredSockets;
use crate::engine::exchange::endpoint_side::EndpointSide;
use crate::engine::http1::buffers::ClientBuffers;
use crate::engine::io::buffer::Buffers;
use crate::engine::upstream::pool::{ConnectionPool, Ended};

/// Buffers of exchanges that a worker keeps for later, and that may be with connections which only might need them.
const KEPT: usize = 256;

/// How long a connection keeps its buffers in case the next request follows.
const WARM: Duration = Duration::from_secs(1);

/// The same where so many do that their memory counts.
const WARM_IN_A_CROWD: Duration = Duration::from_millis(20);

/// What the whole engine shares.
#[derive(Debug)]
pub struct Engine {
    /// When it started: the rests of endpoints are counted from then.
    pub started: Instant,
    /// What serves.
    pub live: Arc<Live>,
    /// What passes through, and whether the node leaves.
    pub traffic: Arc<Traffic>,
    /// Under which name this node passes requests on.
    pub node: Pseudonym,
    /// Where HTTPS is served, for redirects to it.
    pub tls_port: Option<u16>,
    /// The limits of clients.
    pub limits: ClientLimits,
    /// The limits of connections that wait.
    pub pool: PoolLimits,
    /// Who is there.
    pub admission: Arc<Admission>,
}

/// What one thread has for itself: its locks are never waited for.
#[derive(Debug)]
pub struct ThreadContext {
    /// The engine.
    pub engine: Arc<Engine>,
    /// What this thread counts.
    pub tally: Arc<Tally>,
    /// Connections to endpoints that wait.
    pub pool: ConnectionPool,
    /// Buffers that wait.
    pub buffers: Buffers,
    /// Clients that are not watched yet.
    pub unwatched: UnregisteredSockets,
    /// How many retries may fail.
    pub budget: Budget,
    exchanges: Mutex<Vec<ExchangeBuffers>>,
    /// Buffers of exchanges that are with connections.
    lent: Arc<AtomicUsize>,
    date: Mutex<Today>,
}

/// What a connection needs while something runs on it.
#[derive(Debug, Default)]
pub struct ExchangeBuffers {
    /// The client's half.
    pub client: ClientBuffers,
    /// The endpoint's half.
    pub endpoint: EndpointSide,
    /// What policies add to one request and its response.
    pub additions: Additions,
    lent: Option<BufferLoan>,
}

/// Counts buffers as being with a connection until they are dropped, also by a panic.
#[derive(Debug)]
struct BufferLoan(Arc<AtomicUsize>);

impl BufferLoan {
    fn to_one_more(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for BufferLoan {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ThreadContext {
    /// A worker of an engine.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            tally: engine.traffic.tally(),
            pool: ConnectionPool::new(engine.pool),
            engine,
            buffers: Buffers::default(),
            unwatched: UnregisteredSockets::default(),
            budget: Budget::default(),
            exchanges: Mutex::default(),
            lent: Arc::default(),
            date: Mutex::new(Today::at(Instant::now())),
        }
    }

    /// What a connection needs for a request.
    pub fn lend_buffers(&self) -> ExchangeBuffers {
        let kept = lock(&self.exchanges).pop();
        let mut buffers = kept.unwrap_or_default();
        buffers.lent = Some(BufferLoan::to_one_more(&self.lent));
        buffers
    }

    /// Takes it back.
    pub fn take_back(&self, mut buffers: ExchangeBuffers) {
        buffers.lent = None;
        self.buffers.give(&mut buffers.client.incoming);
        self.buffers.give(&mut buffers.endpoint.buffer);
        buffers.endpoint.up.out.shrink();
        buffers.client.down.out.shrink();
        buffers.client.head.clear();
        let mut kept = lock(&self.exchanges);
        if kept.len() < KEPT {
            kept.push(buffers);
        }
    }

    /// Buffers of exchanges that are with connections.
    pub fn lent(&self) -> usize {
        self.lent.load(Ordering::Relaxed)
    }

    /// How long a connection may keep its buffers in case the next request follows.
    pub fn warm(&self) -> Duration {
        if self.lent() <= KEPT {
            WARM
        } else {
            WARM_IN_A_CROWD
        }
    }

    /// The date of now. The clock of the day is asked once a second.
    pub fn date(&self, now: Instant) -> DateText {
        let mut date = lock(&self.date);
        if now >= date.until {
            *date = Today::at(now);
        }
        date.text
    }

    /// Lets go of connections that nobody will use.
    pub fn sweep(&self) {
        self.note(self.pool.sweep(Instant::now()));
    }

    /// Counts what became of connections while they waited.
    pub fn note(&self, ended: Ended) {
        for _ in 0..ended.unexpected {
            self.tally.event(TrafficEvent::UnexpectedData);
        }
    }
}

/// The date, for as long as it holds.
#[derive(Debug)]
struct Today {
    text: DateText,
    until: Instant,
}

impl Today {
    fn at(now: Instant) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default();
        let left = 1_000_000_000 - u64::from(since.subsec_nanos());
        Self {
            text: DateText::at(since.as_secs()),
            until: now + Duration::from_nanos(left),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Everything behind these locks is whole after every step, so a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
