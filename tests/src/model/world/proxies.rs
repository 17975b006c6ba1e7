//! The driver of a proxy: feeds events to the subscription and performs its actions.

use std::time::Duration;

use aralez_proto::fault::FaultCode;
use aralez_proto::wire::control as wire;
use aralez_proxy::core::sync::subscription::{Action, Event, Hello, Moment, Report};
use aralez_proxy::sync::command::{ApplierEvent, Command};
use aralez_proxy::sync::translate;
use prost::Message as _;

use super::{Happening, Try, World};
use crate::model::broken::Promise;
use crate::model::planted::Planted;
use crate::model::wire::Travels;

/// Valid reasons for a proxy to close a stream; every other reason is a fault of control.
const FAIR_REASONS: [&str; 6] = [
    "sent GoAway",
    "heartbeat timeout",
    "behind the expected version",
    "did not answer Hello in time",
    "another cluster",
    "the proxy is shutting down",
];

impl World {
    pub(super) fn boot(&mut self, node: usize) {
        if self.nodes[node].process.is_some() {
            return;
        }
        let now = self.instant();
        self.set_wall(node);
        let tells_suspects = !self.has(Planted::SuspectNotTold);
        self.judge_boot(node);
        self.nodes[node].boot(now, tells_suspects);
        let runs = self.nodes[node]
            .process
            .as_ref()
            .and_then(|process| process.runs());
        self.note(|| format!("n{node} starts with {}", shown(runs)));
        self.begins_to_run(node);
        self.hear_news(node);
        self.feed(node, Event::Start);
    }

    pub(super) fn set_wall(&mut self, node: usize) {
        let now = i64::try_from(self.now.as_millis()).unwrap_or(i64::MAX);
        let wall = u64::try_from(self.wall + now).unwrap_or(0);
        self.nodes[node].disk.state().wall = wall;
    }

    pub(super) fn dialled(&mut self, tried: Try) {
        let Some(control) = self.still_tried(tried) else {
            return;
        };
        if !self.is_reached(tried.node, control) {
            return self.feed(tried.node, Event::ConnectFailed);
        }
        if let Some(process) = &mut self.nodes[tried.node].process {
            process.channel = Some(control);
        }
        self.feed(tried.node, Event::Connected);
    }

    /// Returns the control that was tried. `None` if a later dial or start made the result obsolete.
    fn still_tried(&self, tried: Try) -> Option<usize> {
        let at = &self.nodes[tried.node];
        let process = at.process.as_ref().filter(|_| at.life == tried.life)?;
        (process.dial == tried.dial).then(|| at.setup.servers[tried.server])
    }

    fn is_reached(&self, node: usize, control: usize) -> bool {
        let apart = self.partitions.get(&(node, control));
        self.controls[control].is_up && apart.is_none_or(|until| *until <= self.now)
    }

    /// Handles the result of a probe.
    pub(super) fn probed(&mut self, tried: Try) {
        let control = self.still_tried(tried);
        if control.is_some_and(|control| self.is_reached(tried.node, control)) {
            self.feed(tried.node, Event::Probed(tried.server));
        }
    }

    pub(super) fn node_loses(&mut self, link: u64) {
        let Some(on) = self.links.get(&link) else {
            return;
        };
        let (node, life) = (on.node, on.node_life);
        if !self.is_open(link, node, life) {
            return;
        }
        self.note(|| format!("n{node} loses its stream"));
        if self.has(Planted::CutUpdateApplied) {
            self.apply_what_came(node, link);
        }
        if let Some(process) = &mut self.nodes[node].process {
            process.stream = None;
        }
        self.feed(node, Event::StreamLost);
    }

    pub(super) fn feed(&mut self, node: usize, event: Event) {
        let moment = Moment {
            now: self.instant(),
            random: self.random.share(),
        };
        let Some(process) = &mut self.nodes[node].process else {
            return;
        };
        for action in process.machine.on(moment, event) {
            self.act_of_node(node, action);
        }
        self.judge_machine(node);
        self.plan_wakes(node);
    }

    fn act_of_node(&mut self, node: usize, action: Action) {
        match action {
            Action::Dial { server, after } => self.dial(node, server, after),
            Action::Probe { server } => self.probe(node, server),
            Action::Greet(hello) => self.greet(node, hello),
            Action::Pin(cluster) => {
                self.nodes[node]
                    .cluster
                    .get_or_insert_with(|| cluster.clone());
                self.work(node, Command::Pin(cluster));
            }
            Action::Rename(version) => {
                self.note(|| format!("n{node} renames to {version}"));
                self.work(node, Command::Rename(version));
            }
            Action::Apply(update) => self.begin_apply(node, update),
            Action::Try(root) => self.work(node, Command::Try(root)),
            Action::TellDigest { question } => self.tell(node, |process| {
                let live = process.live.load();
                translate::digest_answer(question, live.snapshot.records())
            }),
            Action::TellDetail { question, buckets } => {
                let stale = self.has(Planted::StaleDetail);
                self.tell(node, |process| {
                    let live = process.live.load();
                    let now = live.snapshot.records();
                    let records = if stale { &process.at_first } else { now };
                    translate::detail_answer(question, records, &buckets)
                });
            }
            Action::Send(report) => self.report(node, &report),
            Action::Close(reason) => self.close(node, &reason),
            Action::Leave => self.close(node, "the proxy is shutting down"),
        }
    }

    fn dial(&mut self, node: usize, server: usize, after: Duration) {
        let way = self.random.millis(1, 30);
        let life = self.nodes[node].life;
        let Some(process) = &mut self.nodes[node].process else {
            return;
        };
        process.dial += 1;
        process.channel = None;
        let dial = process.dial;
        self.plan(
            after + way,
            Happening::Dialled(Try {
                node,
                life,
                dial,
                server,
            }),
        );
    }

    fn probe(&mut self, node: usize, server: usize) {
        let way = self.random.millis(1, 30);
        let at = &self.nodes[node];
        let Some(process) = &at.process else {
            return;
        };
        let (life, dial) = (at.life, process.dial);
        self.plan(
            way,
            Happening::Probed(Try {
                node,
                life,
                dial,
                server,
            }),
        );
    }

    fn greet(&mut self, node: usize, mut hello: Hello) {
        if self.has(Planted::RefusalsForgotten) {
            hello.refused.clear();
        }
        if self.has(Planted::AnyCluster) {
            hello.cluster.clear();
        }
        let Some(process) = &mut self.nodes[node].process else {
            return;
        };
        let Some(control) = process.channel.take() else {
            return;
        };
        let message = translate::hello(&process.identity, &hello);
        let link = self.open_link(node, control);
        if let Some(process) = &mut self.nodes[node].process {
            process.stream = Some(link);
        }
        self.note(|| {
            let refused = hello.refused.len();
            format!(
                "n{node} greets c{control} with {}, {refused} refused",
                shown(hello.held)
            )
        });
        self.send_up(link, Self::message(message.encode_to_vec()));
        if !self.controls[control].is_up {
            self.cut(link);
        }
    }

    fn report(&mut self, node: usize, report: &Report) {
        if let Report::Nack {
            faults, update_id, ..
        } = report
        {
            self.run.refusals += 1;
            self.note(|| format!("n{node} refuses update {update_id}: {}", faults[0]));
            let mismatch = faults
                .iter()
                .all(|fault| fault.code == FaultCode::HashMismatch);
            let link = self.nodes[node]
                .process
                .as_ref()
                .and_then(|process| process.stream);
            let corrupted = link
                .and_then(|link| self.links.get(&link))
                .is_some_and(|on| on.corrupted);
            if mismatch && !corrupted && !self.nodes[node].is_lied_about {
                self.breaks(Promise::FitsTheNode, || {
                    format!("n{node} received an update that does not lead to its announced root")
                });
            }
        }
        self.tell(node, |process| {
            translate::report(report, || translate::NodeStatus {
                running: process.machine.held(),
                ..translate::NodeStatus::default()
            })
        });
    }

    fn tell(
        &mut self,
        node: usize,
        what: impl FnOnce(&crate::model::node::Process) -> wire::NodeMessage,
    ) {
        let Some(process) = &self.nodes[node].process else {
            return;
        };
        let Some(link) = process.stream else {
            return;
        };
        let bytes = what(process).encode_to_vec();
        self.send_up(link, Self::message(bytes));
    }

    fn close(&mut self, node: usize, reason: &str) {
        self.note(|| format!("n{node} closes its stream: {reason}"));
        let fair = FAIR_REASONS.iter().any(|fair| reason.contains(fair));
        if !fair && !self.nodes[node].is_lied_about {
            self.breaks(Promise::FitsTheNode, || {
                format!("n{node} closed its stream without a valid reason: {reason}")
            });
        }
        self.disturb(node);
        let Some(process) = &mut self.nodes[node].process else {
            return;
        };
        if let Some(link) = process.stream.take() {
            self.send_up(link, Travels::End);
        }
    }

    /// Passes a command to the worker, which performs it immediately.
    pub(super) fn work(&mut self, node: usize, job: Command) {
        self.set_wall(node);
        let now = self.instant();
        if let Some(process) = &mut self.nodes[node].process {
            process.worker.take(job, now);
            process.worker.tick(now);
        }
        self.begins_to_run(node);
        self.hear_news(node);
    }

    pub(super) fn hear_news(&mut self, node: usize) {
        loop {
            let process = self.nodes[node].process.as_mut();
            let Some(news) = process.and_then(|process| process.news.try_recv().ok()) else {
                return;
            };
            let event = match news {
                ApplierEvent::Applied { version, took } => Event::Applied { version, took },
                ApplierEvent::Refused { version, faults } => Event::Refused { version, faults },
                ApplierEvent::Untried => Event::Untried,
                ApplierEvent::Memory { .. } => Event::StatusChanged,
            };
            self.feed(node, event);
        }
    }

    pub(super) fn wake(&mut self, node: usize, life: u64) {
        if self.nodes[node].life != life || self.nodes[node].process.is_none() {
            return;
        }
        self.set_wall(node);
        let now = self.instant();
        let Some(process) = &mut self.nodes[node].process else {
            return;
        };
        let due = |at: Option<Duration>| at.is_some_and(|at| at <= self.now);
        let [machine, worker] = process.wakes.map(due);
        if worker {
            process.wakes[1] = None;
            process.worker.tick(now);
        }
        if machine {
            process.wakes[0] = None;
        }
        self.hear_news(node);
        if machine {
            self.feed(node, Event::Tick);
        }
        self.plan_wakes(node);
    }

    /// Plans the next wakes of machine and worker where they are earlier than the planned ones.
    fn plan_wakes(&mut self, node: usize) {
        let now = self.instant();
        let Some(process) = &self.nodes[node].process else {
            return;
        };
        let wanted = [process.machine.next_wake(), process.worker.next_wake(now)];
        let wanted = wanted.map(|at| at.map(|at| self.after(at)));
        let life = self.nodes[node].life;
        for (place, at) in wanted.into_iter().enumerate() {
            let Some(at) = at else { continue };
            let Some(process) = &mut self.nodes[node].process else {
                return;
            };
            if process.wakes[place].is_none_or(|planned| at < planned) {
                process.wakes[place] = Some(at);
                self.plan_at(at, Happening::Wake { node, life });
            }
        }
    }
}

/// Formats a version for traces and failure messages.
pub(super) fn shown(version: Option<aralez_proto::version::Version>) -> String {
    version.map_or_else(|| "nothing".to_owned(), |version| version.to_string())
}
