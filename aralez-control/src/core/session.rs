//! The session: one proxy's stream, as a pure state machine. Events and the time go in, actions come out.
//!
//! Rules (design section 7): at most one un-acknowledged update, computed from what the node acknowledged to what is newest now, so that
//! nothing is queued; refused content is never sent again until it changes or an operator retries, while endpoint changes that do not touch
//! it keep flowing; a node never goes backwards. It does not encode, send or wait: that is the stream adapter.

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

/// The version of the stream's protocol that this control speaks.
pub const PROTOCOL: u32 = 1;

/// How fast a session expects things to go.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two heartbeats, either way. After 2.5 of them without a message a node is lost.
    pub heartbeat: Duration,
    /// How long an update may stay without an answer, counted from its last part that the connection took.
    pub ack_deadline: Duration,
    /// How long a node serves well before it is given a content once more that is suspect there.
    pub retry_suspects: Duration,
}

/// How long an update may take in all: a node that reads one part now and then must not keep its place among complete contents.
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

/// The update that waits for its answer.
#[derive(Debug)]
struct InFlight {
    id: u64,
    to: SharedSnapshot,
    complete: bool,
    since: Instant,
    /// When the connection last took a part of it.
    progress: Instant,
}

/// What is remembered of a node between two of its streams.
#[derive(Clone, Debug)]
pub struct NodeMemory {
    proxy_version: String,
    features: Vec<u32>,
    limits: Limits,
    refusals: Refusals,
    /// What the node runs, or runs where the answer to an update was lost.
    may_run: Vec<SharedSnapshot>,
}

impl NodeMemory {
    /// Forgets what was refused, so that it is tried again.
    pub fn forgive(&mut self) {
        self.refusals.clear();
    }
}

/// What a session knows, for the fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What the node runs, as far as it told.
    pub running: Option<Version>,
    /// The newest version there is for it.
    pub target: Version,
    /// Why it is not given the newest: the refused content and the faults.
    pub refused: Option<RefusedContent>,
}

impl Standing {
    /// What the node runs, where its number says what that is. A release may make other records of the same documents: then a number alone
    /// proves nothing.
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
    /// What the node runs, as it told.
    running: Option<Version>,
    /// The records of what the node runs, where control still has them.
    base: Option<SharedSnapshot>,
    own: OwnView,
    deriving: Deriving,
    /// The last difference did not lead where it said: what is sent next is everything.
    whole: bool,
    in_flight: Option<InFlight>,
    question: Option<Question>,
    /// Whether the node can be asked what it holds, and it is worth it.
    asks: bool,
    questions: u64,
    refusals: Refusals,
    updates: u64,
    beats: u64,
    last_beat: Instant,
    last_heard: Instant,
    /// When it may ask for a try of a suspect content.
    next_ask: Instant,
    closed: bool,
}

impl Session {
    /// Takes an event and says what to do about it. A closed session does nothing any more.
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

    /// When the next [`Event::Tick`] is due.
    pub fn deadline(&self) -> Instant {
        let beat = self.last_beat + self.pace.heartbeat;
        let lost = self.last_heard + self.silence();
        let due = self.answer_due().into_iter().chain(self.asks_at());
        due.fold(beat.min(lost), Instant::min)
    }

    /// When the node last said something.
    pub const fn last_heard(&self) -> Instant {
        self.last_heard
    }

    /// What the fleet shows of this session.
    pub fn standing(&self) -> Standing {
        Standing {
            running: self.running,
            target: self.recent.newest().version(),
            refused: self.refused().map(|refusal| RefusedContent {
                content: refusal.content(),
                faults: Arc::clone(refusal.faults()),
            }),
        }
    }

    /// What to remember of this node for its next stream.
    pub fn memory(&self) -> NodeMemory {
        // Without a refusal the recent snapshots are enough to resume from, and old records need not be kept.
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

    /// The connection took a part of the update in flight. A large content on a slow connection is on its way, not stuck.
    pub fn progressed(&mut self, now: Instant) {
        if let Some(update) = &mut self.in_flight {
            update.progress = now;
        }
    }

    /// Until when the answer to an update or a question must have come.
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
            // The node does not hold what its answers made us believe, or bytes went wrong on the way: it gets everything, once. What it
            // says that it runs stays known, since where it refuses the newest its endpoints follow from there.
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

    /// What the node says it goes on running after a refusal.
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
