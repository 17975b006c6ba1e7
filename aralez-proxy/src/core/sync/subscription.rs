//! The proxy's side of the stream as a pure state machine: events in, actions out.
//!
//! It decides when to dial, what to say, what to apply and what to refuse (design section 7). It knows no sockets, no runtime and no
//! clock: time and randomness come with each event. It does not look into records; applying is somebody else's, one update at a time.

mod assembly;
mod dialling;
mod event;
mod last_resort;
mod message;
mod offline_retry;
mod open_stream;
mod reachability;
mod recover;
mod refusals;

use std::time::{Duration, Instant};

use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::snapshot::Limits;
use aralez_proto::version::Version;

pub use event::{Action, Event, Moment};
use last_resort::LastResort;
pub use message::{Begin, ContentRefusal, Hello, Message, PROTOCOL, Part, Report, Update, Welcome};
use offline_retry::OfflineRetry;
pub use offline_retry::RETRY_ALONE;
use open_stream::OpenStream;
use reachability::Reachability;
use recover::Recover;
use refusals::Refusals;

#[cfg(test)]
mod tests;

/// How long `Welcome` may take, and the silence that is allowed before control named its heartbeat.
const GREETING: Duration = Duration::from_secs(15);
/// `Status` is sent at least this often,
const STATUS_EVERY: Duration = Duration::from_secs(15);
/// and not more often than this.
const STATUS_GAP: Duration = Duration::from_secs(1);

/// What stands between dialling and being served.
#[derive(Debug)]
enum Phase {
    /// Waits for a pause or a connection.
    Dialling { server: usize },
    /// Connected while an apply of before still runs: what is held is only known after it.
    Waiting { server: usize },
    /// Said hello.
    Greeting { server: usize, until: Instant },
    /// Welcomed.
    Live(Box<OpenStream>),
    /// The process ends, or has not begun.
    Idle,
}

/// What is being applied, and for which stream.
#[derive(Clone, Copy, Debug)]
struct Applying {
    /// The report owed to the stream that sent it; `None` after that stream was lost.
    update_id: Option<u64>,
}

/// The state machine.
#[derive(Debug)]
pub struct Subscription {
    limits: Limits,
    recover: Recover,
    reach: Reachability,
    phase: Phase,
    held: Option<Version>,
    cluster: Vec<u8>,
    refusals: Refusals,
    last_resort: Option<LastResort>,
    applying: Option<Applying>,
    alone: OfflineRetry,
}

impl Subscription {
    /// A machine over `servers` control servers (at least one), holding what the cache gave.
    pub fn new(
        servers: usize,
        limits: Limits,
        held: Option<Version>,
        cluster: Vec<u8>,
        refused: Vec<ContentRefusal>,
    ) -> Self {
        let mut refusals = Refusals::default();
        let mut last_resort = None;
        for refusal in refused {
            match held.filter(|held| refusal.content.is_of(held)) {
                Some(_) => last_resort = Some(LastResort::new(refusal)),
                None => refusals.take(refusal),
            }
        }
        Self {
            limits,
            recover: Recover::new(servers),
            reach: Reachability::new(servers),
            phase: Phase::Idle,
            held,
            cluster,
            refusals,
            last_resort,
            applying: None,
            alone: OfflineRetry::new(RETRY_ALONE),
        }
    }

    /// With another time than [`RETRY_ALONE`] for the one more try of a suspect content.
    #[must_use]
    pub fn retrying_alone(self, window: (Duration, Duration)) -> Self {
        Self {
            alone: OfflineRetry::new(window),
            ..self
        }
    }

    /// What runs.
    pub const fn held(&self) -> Option<Version> {
        self.held
    }

    /// The server that welcomed this proxy on the stream that is open.
    pub const fn connected(&self) -> Option<usize> {
        match &self.phase {
            Phase::Live(stream) => Some(stream.server()),
            _ => None,
        }
    }

    /// The contents that this proxy will not run.
    pub fn refused(&self) -> &[ContentRefusal] {
        self.refusals.as_slice()
    }

    /// When a [`Event::Tick`] is due, at the latest.
    pub fn next_wake(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Greeting { until, .. } => Some(*until),
            Phase::Live(stream) => Some(stream.next_wake(self.applying.is_some())),
            Phase::Dialling { .. } => {
                // While something is applied its end comes before a try.
                let alone = self.alone.due().filter(|_| self.applying.is_none());
                alone.into_iter().chain(self.reach.due()).min()
            }
            Phase::Waiting { .. } | Phase::Idle => None,
        }
    }

    /// Takes an event and says what to do, in order.
    pub fn on(&mut self, moment: Moment, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        if let Some(last_resort) = &mut self.last_resort {
            last_resort.follow(moment.now);
        }
        match event {
            Event::Start => self.start(&mut actions),
            Event::Connected => {
                self.tried(true);
                self.connected_to(moment, &mut actions);
            }
            Event::ConnectFailed => {
                self.tried(false);
                self.lost(moment, &mut actions);
            }
            Event::Probed(server) => self.probed(moment, server, &mut actions),
            Event::StreamLost => {
                self.tried(true);
                self.lost(moment, &mut actions);
            }
            Event::Received(message) => self.received(moment, message, &mut actions),
            Event::Applied { version, took } => self.applied(moment, version, took, &mut actions),
            Event::Refused { version, faults } => {
                self.refuse(moment, version, &faults, &mut actions);
            }
            Event::Untried => self.settled(moment, |_| Report::Status, &mut actions),
            Event::Tick => {
                self.try_alone(moment, &mut actions);
                self.probe(moment, &mut actions);
                self.tick(moment, &mut actions);
            }
            Event::StatusChanged => {
                if let Phase::Live(stream) = &mut self.phase {
                    stream.hasten_status(moment.now);
                }
            }
            Event::Shutdown => {
                self.phase = Phase::Idle;
                actions.push(Action::Close("the proxy stops".to_owned()));
            }
        }
        let alone = !matches!(self.phase, Phase::Live(_) | Phase::Idle);
        let waits = alone && self.refusals.newest_suspect().is_some();
        self.alone.follow(waits, moment.now, moment.random);
        actions
    }

    /// Without control for long enough: tries the newest suspect content once more. Not between Hello and Welcome, where what is held was just
    /// told.
    fn try_alone(&mut self, moment: Moment, actions: &mut Vec<Action>) {
        let free = matches!(self.phase, Phase::Dialling { .. }) && self.applying.is_none();
        let Some(root) = self.refusals.newest_suspect().filter(|_| free) else {
            return;
        };
        if self.alone.take(moment.now) {
            self.applying = Some(Applying { update_id: None });
            actions.push(Action::Try(root));
        }
    }

    fn received(&mut self, moment: Moment, message: Message, actions: &mut Vec<Action>) {
        if let Message::GoAway {
            reason,
            retry_min,
            retry_max,
        } = message
        {
            return self.sent_away(moment, &reason, (retry_min, retry_max), actions);
        }
        match (&self.phase, message) {
            (Phase::Greeting { server, .. }, Message::Welcome(welcome)) => {
                let server = *server;
                self.welcomed(moment, server, &welcome, actions);
            }
            (Phase::Greeting { .. }, _) => {
                self.reopen(moment, "control spoke before its Welcome", actions);
            }
            (Phase::Live(_), message) => self.hear(moment, message, actions),
            // What a stream that was let go still says.
            (Phase::Dialling { .. } | Phase::Waiting { .. } | Phase::Idle, _) => {}
        }
    }

    fn welcomed(
        &mut self,
        moment: Moment,
        server: usize,
        welcome: &Welcome,
        actions: &mut Vec<Action>,
    ) {
        if welcome.protocol != PROTOCOL {
            let why = format!(
                "control chose protocol {}, which this release does not speak",
                welcome.protocol
            );
            return self.reopen(moment, why, actions);
        }
        if welcome.cluster.is_empty() || welcome.cluster.len() > 64 {
            return self.reopen(moment, "control does not say which cluster it is", actions);
        }
        if self.cluster.is_empty() {
            self.cluster.clone_from(&welcome.cluster);
            actions.push(Action::Pin(welcome.cluster.clone()));
        } else if self.cluster != welcome.cluster {
            return self.reopen(
                moment,
                "control is of another cluster than this proxy belongs to",
                actions,
            );
        }
        self.phase = Phase::Live(Box::new(OpenStream::new(server, moment.now, welcome)));
        self.expect(moment, welcome.head, actions);
    }

    fn applied(
        &mut self,
        moment: Moment,
        version: Version,
        took: Duration,
        actions: &mut Vec<Action>,
    ) {
        self.held = Some(version);
        self.refusals.forget(&version);
        let replaced = self.last_resort.take_if(|last| !last.is_of(&version));
        if let Some(verdict) = replaced.and_then(|last| last.verdict(moment.now)) {
            self.refusals.take(verdict);
        }
        let report = |update_id| Report::Ack {
            update_id,
            version,
            took,
        };
        self.settled(moment, report, actions);
    }

    fn refuse(
        &mut self,
        moment: Moment,
        version: Version,
        faults: &Faults,
        actions: &mut Vec<Action>,
    ) {
        // Records that come to another root are no content at all: the announced one may be right, and comes once more as a whole.
        let mismatch = |fault: &Fault| fault.code == FaultCode::HashMismatch;
        if !faults.as_slice().iter().all(mismatch) {
            self.refusals.remember(&version, faults.as_slice());
        }
        let kept = self.held;
        let report = |update_id| Report::Nack {
            update_id,
            kept,
            refused_root: version.root,
            faults: faults.as_slice().to_vec(),
        };
        self.settled(moment, report, actions);
    }

    /// An apply came to its end: reports it where a stream waits for that.
    fn settled(
        &mut self,
        moment: Moment,
        report: impl FnOnce(u64) -> Report,
        actions: &mut Vec<Action>,
    ) {
        let update_id = self.applying.take().and_then(|applying| applying.update_id);
        let refused = self.refusals.as_slice();
        match &mut self.phase {
            Phase::Live(stream) => {
                actions.extend(update_id.map(|id| Action::Send(report(id))));
                stream.hasten_status(moment.now);
                stream.settled(moment.now, self.held, refused);
            }
            Phase::Waiting { server } => {
                let server = *server;
                self.greet(moment, server, actions);
            }
            Phase::Dialling { .. } | Phase::Greeting { .. } | Phase::Idle => {}
        }
    }
}
