//! The session: one proxy's stream, as a pure state machine. Events and the time are its input, actions its output.
//!
//! Rules: at most one unacknowledged update, computed from what the node acknowledged to what is newest now, so that nothing is queued;
//! refused content is not sent again until it changes or an operator retries, while endpoint changes that do not touch it continue; a node
//! never goes backwards. The session does not encode, send or wait: the stream adapter does.

mod derivation;
mod derive;
mod event;
mod hello;
mod log;
mod plan;
mod recall;
mod recent;
mod refusal;
mod refusals;
mod repair;
mod suspect;
mod update_parts;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::snapshot::{Limits, SharedSnapshot};
use aralez_proto::version::Version;

pub use derivation::Derivation;
use derive::Deriving;
pub use event::{Action, Base, Closing, Event, GoAway, NodeStatus, Update};
pub use hello::{BootId, Hello, OpenedSession, RefusedContent, Resume, TurnedAway};
use recall::OwnView;
pub use recent::Recent;
pub use refusal::Refusal;
use refusals::Refusals;
use repair::Question;
pub use update_parts::{MAX_PART_BYTES, split};

#[cfg(test)]
pub(crate) mod tests;

/// The protocol version of the stream that this control speaks.
pub const PROTOCOL: u32 = 1;

/// Time limits of a session.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Interval of heartbeats, in both directions. After 2.5 intervals without a message a node is lost.
    pub heartbeat: Duration,
    /// Time limit for the answer to an update, from the last part that the connection accepted.
    pub ack_deadline: Duration,
    /// Time for which a node must serve well before it is sent a suspect content once more.
    pub retry_suspects: Duration,
}

/// Time limit for a whole update: a node that reads slowly must not occupy a slot for full resyncs without bound.
const LONGEST_UPDATE: Duration = Duration::from_mins(15);

impl Default for Pace {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(15),
            ack_deadline: Duration::from_secs(30),
            retry_suspects: Duration::from_secs(10 * 60),
        }
    }
}

/// The unacknowledged update.
#[derive(Debug)]
struct InFlight {
    id: u64,
    to: SharedSnapshot,
    complete: bool,
    since: Instant,
    /// Time at which the connection last accepted a part of it.
    progress: Instant,
}

/// Memory of a node between two of its streams.
#[derive(Clone, Debug)]
pub struct NodeMemory {
    proxy_version: String,
    features: Vec<u32>,
    limits: Limits,
    refusals: Refusals,
    /// The snapshots that the node may run: the acknowledged one, and the one in flight, whose answer may be lost.
    may_run: Vec<SharedSnapshot>,
}

impl NodeMemory {
    /// Forgets the refusals, so that their content is tried again.
    pub fn forgive(&mut self) {
        self.refusals.clear();
    }
}

/// A session's view of its node, for the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionState {
    /// The version that the node runs, if it reported one.
    pub running: Option<Version>,
    /// The newest version for the node.
    pub target: Version,
    /// The refused content and its faults that keep the node from the newest version.
    pub refused: Option<RefusedContent>,
}

impl SessionState {
    /// Returns the running version if its number identifies its content. Another release may lower the same documents to other records;
    /// then the number alone proves nothing.
    pub fn proven(&self) -> Option<Version> {
        let differs = |running: &Version| {
            let same_number = running.order(&self.target).is_eq();
            same_number && running.authored_root != self.target.authored_root
        };
        self.running.filter(|running| !differs(running))
    }
}

/// One proxy's stream.
#[derive(Debug)]
pub struct Session {
    pace: Pace,
    proxy_version: String,
    features: Vec<u32>,
    limits: Limits,
    recent: Arc<Recent>,
    /// The version that the node runs, as it reported.
    running: Option<Version>,
    /// The snapshot that the node runs, if control has it.
    base: Option<SharedSnapshot>,
    own: OwnView,
    deriving: Deriving,
    /// The last delta did not produce the announced root: the next update sends everything.
    whole: bool,
    in_flight: Option<InFlight>,
    question: Option<Question>,
    /// Set while the node can be asked what it holds, and asking is worthwhile.
    asks: bool,
    questions: u64,
    refusals: Refusals,
    updates: u64,
    beats: u64,
    last_beat: Instant,
    last_heard: Instant,
    /// Time from which the session may ask for a try of a suspect content.
    next_ask: Instant,
    closed: bool,
}

impl Session {
    /// Handles an event and returns the actions to perform. A closed session ignores all events.
    pub fn handle(&mut self, event: Event, now: Instant) -> Vec<Action> {
        if self.closed {
            return Vec::new();
        }
        match event {
            Event::Ack { update_id, version } => self.acked(update_id, version, now),
            Event::Nack {
                update_id,
                kept,
                faults,
            } => self.nacked(update_id, kept, faults, now),
            Event::Digest { question, marks } => self.digested(question, &marks, now),
            Event::Detail { question, held } => self.detailed(question, held, now),
            Event::Status(_) => {
                self.last_heard = now;
                Vec::new()
            }
            Event::Recalled(view) => self.recalled(view, now),
            Event::Derived { key, made } => self.derived(key, made, now),
            Event::View(recent) => {
                self.recent = recent;
                self.advance(now)
            }
            Event::Granted(root) => self.granted(root, now),
            Event::Tick => self.tick(now),
            Event::Retry => {
                self.refusals.clear();
                self.forget_derived();
                self.advance(now)
            }
            Event::Superseded => self.leave(
                Closing::Superseded,
                Duration::from_secs(5),
                Duration::from_secs(30),
            ),
            Event::Drain { within } => self.leave(Closing::Drained, Duration::ZERO, within),
        }
    }

    /// Returns when the next [`Event::Tick`] is due.
    pub fn deadline(&self) -> Instant {
        let beat = self.last_beat + self.pace.heartbeat;
        let lost = self.last_heard + self.silence();
        let due = self.answer_due().into_iter().chain(self.asks_at());
        due.fold(beat.min(lost), Instant::min)
    }

    /// Returns the time of the node's last message.
    pub const fn last_heard(&self) -> Instant {
        self.last_heard
    }

    /// Returns the state of this session for the fleet.
    pub fn state(&self) -> SessionState {
        SessionState {
            running: self.running,
            target: self.recent.newest().version(),
            refused: self.refused().map(|refusal| RefusedContent {
                content: refusal.content(),
                faults: Arc::clone(refusal.faults()),
            }),
        }
    }

    /// Returns what to remember of this node for its next stream.
    pub fn memory(&self) -> NodeMemory {
        // Without a refusal the recent snapshots suffice to resume from, and old records need not be kept.
        let in_flight = self.in_flight.as_ref().map(|update| &update.to);
        let may_run = self.base.iter().chain(in_flight).cloned();
        let may_run = may_run.filter(|_| !self.refusals.is_empty()).collect();
        NodeMemory {
            proxy_version: self.proxy_version.clone(),
            features: self.features.clone(),
            limits: self.limits,
            refusals: self.refusals.clone(),
            may_run,
        }
    }

    /// Records that the connection accepted a part of the update in flight: a large content on a slow connection is progressing, not stuck.
    pub fn progressed(&mut self, now: Instant) {
        if let Some(update) = &mut self.in_flight {
            update.progress = now;
        }
    }

    /// Returns the deadline for the answer to the outstanding update or question.
    fn answer_due(&self) -> Option<Instant> {
        let limit = self.pace.ack_deadline;
        let update = self.in_flight.as_ref();
        let update =
            update.map(|update| (update.progress + limit).min(update.since + LONGEST_UPDATE));
        update.or(self
            .question
            .as_ref()
            .map(|question| question.since + limit))
    }

    fn silence(&self) -> Duration {
        self.pace.heartbeat * 5 / 2
    }

    fn leave(&mut self, why: Closing, retry_min: Duration, retry_max: Duration) -> Vec<Action> {
        self.closed = true;
        let farewell = GoAway {
            reason: why.reason().to_owned(),
            retry_min,
            retry_max,
        };
        vec![Action::GoAway(farewell), Action::Close(why)]
    }

    fn close(&mut self, why: Closing) -> Vec<Action> {
        self.closed = true;
        vec![Action::Close(why)]
    }

    fn tick(&mut self, now: Instant) -> Vec<Action> {
        if self.answer_due().is_some_and(|due| now >= due) {
            return self.close(Closing::Stuck);
        }
        if now >= self.last_heard + self.silence() {
            return self.close(Closing::Lost);
        }
        let mut actions: Vec<Action> = self.ask_to_try(now).into_iter().collect();
        if now < self.last_beat + self.pace.heartbeat {
            return actions;
        }
        self.last_beat = now;
        let count = self.beats;
        self.beats += 1;
        actions.push(Action::Heartbeat {
            expected: self.expected(),
            count,
        });
        actions
    }

    fn acked(&mut self, update_id: u64, version: Version, now: Instant) -> Vec<Action> {
        self.last_heard = now;
        let Some(update) = self.in_flight.take_if(|update| update.id == update_id) else {
            return Vec::new();
        };
        if version.root != update.to.version().root {
            self.base = None;
            self.running = Some(version);
            return self.close(Closing::Drifted);
        }
        self.running = Some(update.to.version());
        self.base = Some(update.to);
        self.own = OwnView::default();
        self.advance(now)
    }

    fn nacked(
        &mut self,
        update_id: u64,
        kept: Option<Version>,
        faults: Vec<Fault>,
        now: Instant,
    ) -> Vec<Action> {
        self.last_heard = now;
        let Some(update) = self.in_flight.take_if(|update| update.id == update_id) else {
            return Vec::new();
        };
        self.keep(kept);
        let mismatch = |fault: &Fault| fault.code == FaultCode::HashMismatch;
        if !update.complete && !faults.is_empty() && faults.iter().all(mismatch) {
            // The node does not hold what its answers implied, or bytes were corrupted on the way: send everything, once. Keep the version
            // that it reports as running: if it refuses the newest view, endpoint updates start from there.
            self.whole = true;
            self.asks = false;
            return self.advance(now);
        }
        let refusal = Refusal::of(&update.to, faults, &self.limits);
        let refused = Action::Refused {
            version: update.to.version(),
            faults: Arc::clone(refusal.faults()),
        };
        self.refusals.remember(refusal);
        let mut actions = vec![refused];
        actions.extend(self.advance(now));
        actions
    }

    /// Adopts the version that the node keeps running after a refusal.
    fn keep(&mut self, kept: Option<Version>) {
        let root = |version: Option<Version>| -> Option<Digest> { Some(version?.root) };
        if root(kept) != root(self.running) {
            self.running = kept;
            self.own = OwnView::default();
            let held = |version| hello::base_of(version, &self.recent, Vec::new());
            self.base = kept.and_then(held);
        }
    }
}
