//! The proxy's side of the stream as a pure state machine: events in, actions out.
//!
//! It decides when to dial, what to send, what to apply and what to refuse. It has no sockets, no runtime and no clock: time and randomness
//! arrive with each event. It does not inspect records; the caller applies updates, one at a time.

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

/// Time limit for `Welcome`. Also the heartbeat interval that is assumed if `Welcome` contains none, and half of the assumed report
/// deadline.
const GREETING: Duration = Duration::from_secs(15);
/// Maximum interval between two `Status` reports.
const STATUS_EVERY: Duration = Duration::from_secs(15);
/// Minimum interval between two `Status` reports.
const STATUS_GAP: Duration = Duration::from_secs(1);

/// The state of the connection to control.
#[derive(Debug)]
enum Phase {
    /// Waits for the end of a pause or for a connection.
    Dialling { server: usize },
    /// Connected while an earlier update is still being applied: the held version is known only afterwards.
    Waiting { server: usize },
    /// Sent `Hello`, waits for `Welcome`.
    Greeting { server: usize, until: Instant },
    /// Received `Welcome`.
    Live(Box<OpenStream>),
    /// Not started, or shutting down.
    Idle,
}

/// The update that is being applied.
#[derive(Clone, Copy, Debug)]
struct Applying {
    /// The id under which the result is reported; `None` if the stream that sent the update is lost, or for a retry without control.
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
    /// Creates a machine for `servers` control servers (at least one), with the state that the cache returned.
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

    /// Replaces [`RETRY_ALONE`], the window for the one more try of a suspect content without control.
    #[must_use]
    pub fn retrying_alone(self, window: (Duration, Duration)) -> Self {
        Self {
            alone: OfflineRetry::new(window),
            ..self
        }
    }

    /// Returns the version that runs.
    pub const fn held(&self) -> Option<Version> {
        self.held
    }

    /// Returns the server of the open stream; `None` before its `Welcome`.
    pub const fn connected(&self) -> Option<usize> {
        match &self.phase {
            Phase::Live(stream) => Some(stream.server()),
            _ => None,
        }
    }

    /// Returns the contents that this proxy refuses to run.
    pub fn refused(&self) -> &[ContentRefusal] {
        self.refusals.as_slice()
    }

    /// Returns the latest time at which the next [`Event::Tick`] is due.
    pub fn next_wake(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Greeting { until, .. } => Some(*until),
            Phase::Live(stream) => Some(stream.next_wake(self.applying.is_some())),
            Phase::Dialling { .. } => {
                // No try is due while an update is being applied.
                let alone = self.alone.due().filter(|_| self.applying.is_none());
                alone.into_iter().chain(self.reach.due()).min()
            }
            Phase::Waiting { .. } | Phase::Idle => None,
        }
    }

    /// Processes an event and returns the actions to execute, in order.
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
                actions.push(Action::Leave);
            }
        }
        let alone = !matches!(self.phase, Phase::Live(_) | Phase::Idle);
        let waits = alone && self.refusals.newest_suspect().is_some();
        self.alone.follow(waits, moment.now, moment.random);
        actions
    }

    /// Tries the newest suspect content once more after long enough without control. Not between Hello and Welcome: Hello has just
    /// announced the held version.
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
                self.reopen(moment, "control sent a message before its Welcome", actions);
            }
            (Phase::Live(_), message) => self.hear(moment, message, actions),
            // A late message on a stream that was closed.
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
                "control chose unsupported protocol version {}",
                welcome.protocol
            );
            return self.reopen(moment, why, actions);
        }
        if welcome.cluster.is_empty() || welcome.cluster.len() > 64 {
            return self.reopen(moment, "control sent an invalid cluster id", actions);
        }
        if self.cluster.is_empty() {
            self.cluster.clone_from(&welcome.cluster);
            actions.push(Action::Pin(welcome.cluster.clone()));
        } else if self.cluster != welcome.cluster {
            return self.reopen(
                moment,
                "cluster mismatch: control belongs to another cluster than this proxy",
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
        // A root mismatch does not refuse the content: the announced root may be right, and control sends it again in full.
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

    /// Ends an apply, and reports the result if a stream waits for it.
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
