//! The open stream: handling of its messages, and of silence.

use std::time::{Duration, Instant};

use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::version::Version;

use crate::core::sync::subscription::assembly::Assembly;
use crate::core::sync::subscription::message::{
    Begin, ContentRefusal, Message, Part, Report, Welcome,
};
use crate::core::sync::subscription::{
    Action, Applying, GREETING, Moment, Phase, STATUS_EVERY, STATUS_GAP, Subscription,
};

const HEARTBEAT: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(600));

/// A stream on which control welcomed this proxy.
#[derive(Debug)]
pub(super) struct OpenStream {
    server: usize,
    since: Instant,
    heartbeat: Duration,
    ack_deadline: Duration,
    heard: Instant,
    status_sent: Option<Instant>,
    status_due: Instant,
    expected: Option<Version>,
    /// Since when this proxy has been behind with no update in flight.
    behind: Option<Instant>,
    assembly: Option<Assembly>,
    /// The id of an update that was refused early: the rest of it is discarded.
    skipped: Option<u64>,
}

impl OpenStream {
    pub(super) fn new(server: usize, now: Instant, welcome: &Welcome) -> Self {
        let or = |value: Duration, default: Duration| if value.is_zero() { default } else { value };
        Self {
            server,
            since: now,
            heartbeat: or(welcome.heartbeat, GREETING).clamp(HEARTBEAT.0, HEARTBEAT.1),
            ack_deadline: or(welcome.ack_deadline, GREETING * 2).clamp(HEARTBEAT.0, HEARTBEAT.1),
            heard: now,
            status_sent: None,
            status_due: now,
            expected: None,
            behind: None,
            assembly: None,
            skipped: None,
        }
    }

    pub(super) const fn server(&self) -> usize {
        self.server
    }

    pub(super) fn lived(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Schedules `Status` soon. Changes in quick succession share one report.
    pub(super) fn hasten_status(&mut self, now: Instant) {
        let soonest = self
            .status_sent
            .map_or(now, |sent| (sent + STATUS_GAP).max(now));
        self.status_due = self.status_due.min(soonest);
    }

    /// Handles the end of an apply: the time that this proxy is behind counts from here.
    pub(super) fn settled(
        &mut self,
        now: Instant,
        held: Option<Version>,
        refused: &[ContentRefusal],
    ) {
        self.behind = None;
        self.expected = self.expected.filter(|expected| {
            refused
                .iter()
                .all(|refusal| !refusal.content.is_of(expected))
        });
        self.note_behind(now, held);
    }

    fn silent_at(&self) -> Instant {
        self.heard + self.heartbeat.mul_f64(2.5)
    }

    pub(super) fn next_wake(&self, applying: bool) -> Instant {
        let wake = self.silent_at().min(self.status_due);
        match self.behind.filter(|_| !applying && self.assembly.is_none()) {
            Some(since) => wake.min(since + self.ack_deadline),
            None => wake,
        }
    }

    fn note_behind(&mut self, now: Instant, held: Option<Version>) {
        if is_behind(held, self.expected) {
            self.behind.get_or_insert(now);
        } else {
            self.behind = None;
        }
    }
}

/// Returns whether this proxy should run another content that is not older than the held one.
fn is_behind(held: Option<Version>, expected: Option<Version>) -> bool {
    match (held, expected) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(held), Some(expected)) => {
            held.root != expected.root && !expected.goes_back_from(&held)
        }
    }
}

impl Subscription {
    /// Handles a message on the open stream.
    pub(super) fn hear(&mut self, moment: Moment, message: Message, actions: &mut Vec<Action>) {
        if let Phase::Live(stream) = &mut self.phase {
            stream.heard = moment.now;
        }
        match message {
            Message::Begin(begin) => self.begin(moment, begin, actions),
            Message::UpdatePart(part) => self.part(moment, part, actions),
            Message::Commit { update_id } => self.commit(moment, update_id, actions),
            Message::Heartbeat { expected } => self.expect(moment, expected, actions),
            Message::AskDigest { question } => {
                self.answer(moment, Action::TellDigest { question }, actions);
            }
            Message::AskDetail { question, buckets } => {
                self.answer(moment, Action::TellDetail { question, buckets }, actions);
            }
            Message::Broken(what) => {
                self.reopen(
                    moment,
                    format!("control sent an invalid message: {what}"),
                    actions,
                );
            }
            Message::Welcome(_) => self.reopen(moment, "control sent a second Welcome", actions),
            Message::GoAway { .. } => {}
        }
    }

    /// Records the version that control expects this proxy to run.
    pub(super) fn expect(
        &mut self,
        moment: Moment,
        expected: Option<Version>,
        actions: &mut Vec<Action>,
    ) {
        let refused = expected.is_some_and(|expected| self.refusals.contains(&expected));
        let Phase::Live(stream) = &mut self.phase else {
            return;
        };
        stream.expected = expected.filter(|_| !refused);
        let idle = self.applying.is_none() && stream.assembly.is_none();
        if !idle {
            return;
        }
        stream.note_behind(moment.now, self.held);
        // The same content under a newer version: a commit that did not touch this node's view.
        let (Some(held), Some(expected)) = (self.held, expected) else {
            return;
        };
        if expected.renames(&held) {
            self.held = Some(expected);
            actions.push(Action::Rename(expected));
        }
    }

    /// Handles a question about the held snapshot. Control never asks while an update is in flight: the snapshot could change before the
    /// answer.
    fn answer(&mut self, moment: Moment, answer: Action, actions: &mut Vec<Action>) {
        let receives = matches!(&self.phase, Phase::Live(stream) if stream.assembly.is_some());
        if receives || self.applying.is_some() {
            return self.reopen(moment, "control sent a query during an update", actions);
        }
        actions.push(answer);
    }

    fn begin(&mut self, moment: Moment, begin: Begin, actions: &mut Vec<Action>) {
        let Phase::Live(stream) = &mut self.phase else {
            return;
        };
        if stream.assembly.is_some() || self.applying.is_some() {
            return self.reopen(
                moment,
                "control began an update during another one",
                actions,
            );
        }
        stream.skipped = None;
        let (update_id, to) = (begin.update_id, begin.to);
        if begin.from_root.is_some() && begin.from_root != self.held.map(|held| held.root) {
            let reason = "the update starts from a root other than the one that this proxy holds";
            let fault = Fault::whole(FaultCode::HashMismatch, "from_root", reason);
            self.turn_down(moment.now, update_id, to, fault.into(), actions);
            return self.reopen(
                moment,
                "control sent an update from a root that this proxy does not hold",
                actions,
            );
        }
        if let Some(held) = self.held.filter(|held| to.goes_back_from(held)) {
            let reason = format!("{to} is older than {held}, which this proxy holds");
            let fault = Fault::whole(FaultCode::Invalid, "version", reason);
            return self.turn_down(moment.now, update_id, to, fault.into(), actions);
        }
        match Assembly::new(begin, &self.limits) {
            Ok(assembly) => stream.assembly = Some(assembly),
            Err(faults) => self.refuse_content(moment.now, update_id, to, faults, actions),
        }
    }

    fn part(&mut self, moment: Moment, part: Part, actions: &mut Vec<Action>) {
        let Phase::Live(stream) = &mut self.phase else {
            return;
        };
        if stream.skipped == Some(part.update_id) {
            return;
        }
        let running = stream
            .assembly
            .as_mut()
            .filter(|running| running.begin().update_id == part.update_id);
        let Some(assembly) = running else {
            return self.reopen(moment, "control sent a part of an unknown update", actions);
        };
        if let Err(faults) = assembly.add(part) {
            let (update_id, to) = (assembly.begin().update_id, assembly.begin().to);
            stream.assembly = None;
            self.refuse_content(moment.now, update_id, to, faults, actions);
        }
    }

    fn commit(&mut self, moment: Moment, update_id: u64, actions: &mut Vec<Action>) {
        let Phase::Live(stream) = &mut self.phase else {
            return;
        };
        if stream
            .skipped
            .take_if(|skipped| *skipped == update_id)
            .is_some()
        {
            return;
        }
        let whole = stream
            .assembly
            .take_if(|running| running.begin().update_id == update_id);
        let Some(assembly) = whole else {
            return self.reopen(
                moment,
                "control sent a commit for an unknown update",
                actions,
            );
        };
        let to = assembly.begin().to;
        match assembly.finish() {
            Ok(update) => {
                self.applying = Some(Applying {
                    update_id: Some(update_id),
                });
                actions.push(Action::Apply(update));
            }
            Err(faults) => self.refuse_content(moment.now, update_id, to, faults, actions),
        }
    }

    /// Refuses an update because of its content, and remembers the content as refused.
    fn refuse_content(
        &mut self,
        now: Instant,
        update_id: u64,
        to: Version,
        faults: Faults,
        actions: &mut Vec<Action>,
    ) {
        self.refusals.remember(&to, faults.as_slice());
        self.turn_down(now, update_id, to, faults, actions);
    }

    /// Refuses an update that was not applied; the rest of it is discarded.
    fn turn_down(
        &mut self,
        now: Instant,
        update_id: u64,
        to: Version,
        faults: Faults,
        actions: &mut Vec<Action>,
    ) {
        let refused = self.refusals.as_slice();
        if let Phase::Live(stream) = &mut self.phase {
            stream.skipped = Some(update_id);
            stream.settled(now, self.held, refused);
        }
        actions.push(Action::Send(Report::Nack {
            update_id,
            kept: self.held,
            refused_root: to.root,
            faults: faults.into_vec(),
        }));
    }

    /// Handles the timers: greeting, silence, being behind, and `Status`.
    pub(super) fn tick(&mut self, moment: Moment, actions: &mut Vec<Action>) {
        let now = moment.now;
        let applying = self.applying.is_some();
        match &mut self.phase {
            Phase::Greeting { until, .. } if now >= *until => {
                self.reopen(moment, "control did not answer Hello in time", actions);
            }
            Phase::Live(stream) if now >= stream.silent_at() => {
                self.reopen(
                    moment,
                    "heartbeat timeout: no message from control",
                    actions,
                );
            }
            Phase::Live(stream) => {
                let idle = !applying && stream.assembly.is_none();
                let stale = stream
                    .behind
                    .is_some_and(|since| now >= since + stream.ack_deadline);
                if idle && stale {
                    return self.reopen(
                        moment,
                        "this proxy is behind the expected version, and control sends no update",
                        actions,
                    );
                }
                if now >= stream.status_due {
                    stream.status_sent = Some(now);
                    // Control considers a proxy lost after two and a half heartbeats of silence.
                    stream.status_due = now + STATUS_EVERY.min(stream.heartbeat);
                    actions.push(Action::Send(Report::Status));
                }
            }
            Phase::Greeting { .. }
            | Phase::Dialling { .. }
            | Phase::Waiting { .. }
            | Phase::Idle => {}
        }
    }
}
