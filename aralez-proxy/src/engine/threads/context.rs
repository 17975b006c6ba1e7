//! State shared by the connections of one thread.

use parking_lot::{Mutex, MutexGuard};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::core::admission::Admission;
use crate::core::limits::{ClientLimits, PoolLimits};
use crate::core::live::Live;
use crate::core::request::credentials::CredentialMemory;
use crate::core::request::files::roots::FileRoots;
use crate::core::request::http1::date::DateText;
use crate::core::request::id_source::IdSource;
use crate::core::request::limiter::Limiter;
use crate::core::request::listener_role::FileServer;
use crate::core::request::retry::Budget;
use crate::core::traffic::{Tally, Traffic, TrafficEvent};
use crate::engine::accept::unregistered::UnregisteredSockets;
use crate::engine::exchange::endpoint_side::EndpointSide;
use crate::engine::files::folders::OpenFolders;
use crate::engine::http1::buffers::ClientBuffers;
use crate::engine::io::buffer::Buffers;
use crate::engine::limit_clock::LimitClock;
use crate::engine::password_checks::PasswordChecks;
use crate::engine::upstream::pool::{ConnectionPool, Ended};
use aralez_decision::additions::Additions;
use aralez_decision::pseudonym::Pseudonym;
use aralez_runtime::random;

/// Number of exchange buffers a worker retains. Up to this many may also stay with idle connections for the full [`WARM`].
const KEPT: usize = 256;

/// How long a connection retains its buffers in case another request follows.
const WARM: Duration = Duration::from_secs(1);

/// The same, if more than [`KEPT`] connections hold buffers.
const WARM_IN_A_CROWD: Duration = Duration::from_millis(20);

/// State shared by the whole engine.
#[derive(Debug)]
pub struct Engine {
    /// Start time. The rests of endpoints are measured from it.
    pub started: Instant,
    /// The live table.
    pub live: Arc<Live>,
    /// Traffic counters, and whether the node is leaving.
    pub traffic: Arc<Traffic>,
    /// The pseudonym of this node in forwarded requests.
    pub node: Pseudonym,
    /// The HTTPS port, for redirects.
    pub tls_port: Option<u16>,
    /// The folders below which routes may serve files.
    pub file_roots: FileRoots,
    /// The file server of this node, if it has one.
    pub file_server: Option<FileServer>,
    /// Client limits.
    pub limits: ClientLimits,
    /// Limits of idle endpoint connections.
    pub pool: PoolLimits,
    /// Admission control of client connections.
    pub admission: Arc<Admission>,
    /// The counts of clients for the limits of routes.
    pub limiter: Arc<Limiter<LimitClock>>,
    /// Verified credentials, and failed attempts by address.
    pub credentials: Arc<CredentialMemory>,
    /// Computation of password hashes.
    pub password_checks: PasswordChecks,
}

/// State of one thread. Its locks are never contended.
#[derive(Debug)]
pub struct ThreadContext {
    /// The engine.
    pub engine: Arc<Engine>,
    /// The counters of this thread.
    pub tally: Arc<Tally>,
    /// Idle endpoint connections.
    pub pool: ConnectionPool,
    /// Free buffers.
    pub buffers: Buffers,
    /// Client sockets that are not registered with the reactor yet.
    pub unwatched: UnregisteredSockets,
    /// The open folders whose files are served.
    pub folders: OpenFolders,
    /// The retry budget.
    pub budget: Budget,
    /// The source of request ids.
    pub ids: IdSource,
    exchanges: Mutex<Vec<ExchangeBuffers>>,
    /// Number of exchange buffers held by connections.
    lent: Arc<AtomicUsize>,
    date: Mutex<Today>,
}

/// Buffers and state of a connection with an active exchange.
#[derive(Debug, Default)]
pub struct ExchangeBuffers {
    /// The client's half.
    pub client: ClientBuffers,
    /// The endpoint's half.
    pub endpoint: EndpointSide,
    /// Fields that policies add to one request and its response.
    pub additions: Additions,
    lent: Option<BufferLoan>,
}

/// Counts buffers as held by a connection until dropped, also during a panic.
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
    /// Creates the context of one thread.
    pub fn new(engine: Arc<Engine>) -> Self {
        Self {
            tally: engine.traffic.tally(),
            pool: ConnectionPool::new(engine.pool),
            engine,
            buffers: Buffers::default(),
            unwatched: UnregisteredSockets::default(),
            folders: OpenFolders::default(),
            budget: Budget::default(),
            ids: IdSource::new(std::array::from_fn(|_| u64::from_ne_bytes(random::bytes()))),
            exchanges: Mutex::default(),
            lent: Arc::default(),
            date: Mutex::new(Today::at(Instant::now())),
        }
    }

    /// Returns buffers for an exchange, reused if possible.
    pub fn lend_buffers(&self) -> ExchangeBuffers {
        let kept = self.exchanges.lock().pop();
        let mut buffers = kept.unwrap_or_default();
        buffers.lent = Some(BufferLoan::to_one_more(&self.lent));
        buffers
    }

    /// Takes buffers back for reuse.
    pub fn take_back(&self, mut buffers: ExchangeBuffers) {
        buffers.lent = None;
        self.buffers.give(&mut buffers.client.incoming);
        self.buffers.give(&mut buffers.endpoint.buffer);
        buffers.endpoint.up.out.shrink();
        buffers.client.down.out.shrink();
        buffers.client.head.clear();
        let mut kept = self.exchanges.lock();
        if kept.len() < KEPT {
            kept.push(buffers);
        }
    }

    /// Returns the number of exchange buffers held by connections.
    pub fn lent(&self) -> usize {
        self.lent.load(Ordering::Relaxed)
    }

    /// Returns how long a connection may retain its buffers in case another request follows.
    pub fn warm(&self) -> Duration {
        if self.lent() <= KEPT {
            WARM
        } else {
            WARM_IN_A_CROWD
        }
    }

    /// Returns the text of the current date. The wall clock is read once per second.
    pub fn date(&self, now: Instant) -> DateText {
        self.today(now).text
    }

    /// Returns the current time, in seconds since 1970. The wall clock is read once per second.
    pub fn unix_now(&self, now: Instant) -> u64 {
        self.today(now).unix
    }

    fn today(&self, now: Instant) -> MutexGuard<'_, Today> {
        let mut date = self.date.lock();
        if now >= date.until {
            *date = Today::at(now);
        }
        date
    }

    /// Drops idle endpoint connections that cannot be reused, and closes folders that are not used.
    pub fn sweep(&self) {
        let now = Instant::now();
        self.note(self.pool.sweep(now));
        self.folders.sweep(now);
    }

    /// Counts idle connections that ended unexpectedly.
    pub fn note(&self, ended: Ended) {
        for _ in 0..ended.unexpected {
            self.tally.event(TrafficEvent::UnexpectedData);
        }
    }
}

/// The date text, valid until the next second.
#[derive(Debug)]
struct Today {
    text: DateText,
    /// Seconds since 1970.
    unix: u64,
    until: Instant,
}

impl Today {
    fn at(now: Instant) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let since = since.unwrap_or_default();
        let left = 1_000_000_000 - u64::from(since.subsec_nanos());
        Self {
            text: DateText::at(since.as_secs()),
            unix: since.as_secs(),
            until: now + Duration::from_nanos(left),
        }
    }
}
