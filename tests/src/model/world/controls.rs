//! The task of a stream in control: passes every event to the session, updates the fleet, and performs the session's actions.

use std::time::Duration;

use aralez_control::core::session::{Action, Closing, Event};
use aralez_control::stream::message::{self, Inbound};
use aralez_proto::version::Version;
use aralez_proto::wire::control as wire;
use aralez_proto::wire::control::node_message::Kind;
use bytes::Bytes;
use prost::Message as _;

use super::proxies::shown;
use super::{Happening, World};
use crate::model::broken::Promise;
use crate::model::control::Open;
use crate::model::planted::Planted;
use crate::model::wire::Travels;

/// The longest time that recalling an earlier view takes, in milliseconds.
const LONGEST_RECALL: u64 = 2_000;

impl World {
    pub(super) fn control_hears(&mut self, link: u64, sent: Duration, bytes: Bytes) {
        let control = self.links[&link].control;
        let message = wire::NodeMessage::decode(bytes).expect("what a node encoded");
        if let Some(serving) = self.controls[control].serving.get_mut(&link) {
            serving.heard = sent;
            let inbound = message::inbound(message).expect("what a node means");
            if let Inbound::Report(event, _) = inbound {
                self.heard(control, link, *event);
            }
        } else if let Some(Kind::Hello(hello)) = message.kind {
            let hello = message::hello(hello).expect("a Hello");
            self.welcome(control, link, hello, sent);
        }
    }

    /// Passes a node's report to its session.
    fn heard(&mut self, at: usize, link: u64, mut event: Event) {
        let Some(serving) = self.controls[at].serving.get_mut(&link) else {
            return;
        };
        let node = serving.node;
        if let (Some(Open::Update(id, to)), Some(Planted::AnyReportIsAck)) =
            (&serving.open, self.planted)
        {
            event = Event::Ack {
                update_id: *id,
                version: to.version(),
            };
        }
        self.note(|| format!("c{at} hears n{node}: {}", name_of(&event)));
        if let Event::Status(status) = &event {
            let (now, id) = (self.instant(), self.controls[at].serving[&link].id);
            let name = self.nodes[node].name.clone();
            self.controls[at]
                .fleet
                .reported(&name, id, status.clone(), now);
        }
        self.answered(at, link, &event);
        self.handle(at, link, event);
    }

    /// Passes an event to the session, updates the fleet, and performs the resulting actions.
    pub(super) fn handle(&mut self, at: usize, link: u64, event: Event) {
        let now = self.instant();
        let control = &mut self.controls[at];
        let Some(serving) = control.serving.get_mut(&link) else {
            return;
        };
        let is_time = matches!(event, Event::Tick);
        let is_ack = matches!(event, Event::Ack { .. });
        let actions = serving.session.handle(event, now);
        let name = &self.nodes[serving.node].name;
        if !is_time {
            let state = serving.session.state();
            control
                .fleet
                .observe(name, serving.id, state, serving.session.last_heard());
        }
        if is_ack {
            control.fleet.applied(name, serving.id);
        }
        self.act_of_control(at, link, actions);
        self.judge_fleet(at, link);
    }

    pub(super) fn act_of_control(&mut self, at: usize, link: u64, actions: Vec<Action>) {
        for action in actions {
            let Some(serving) = self.controls[at].serving.get_mut(&link) else {
                return;
            };
            match action {
                Action::Send(update) => self.send_update(at, link, &update),
                Action::Heartbeat { expected, count } => {
                    serving
                        .outbox
                        .push_heartbeat(message::heartbeat(expected, count));
                }
                Action::AskDigest { question } => {
                    serving.outbox.push(message::ask_digest(question));
                    self.opens(at, link, Open::Question);
                }
                Action::AskDetail { question, buckets } => {
                    serving.outbox.push(message::ask_detail(question, &buckets));
                    self.opens(at, link, Open::Question);
                }
                Action::Recall(version) => self.recall(at, link, version),
                Action::Derive(needed) => self.derive(at, link, needed),
                // Not modelled: runs are too short for a trial request to matter.
                Action::AskToTry(_) => {}
                Action::Refused { version, faults } => {
                    let name = &self.nodes[serving.node].name;
                    let (id, memory) = (serving.id, serving.session.memory());
                    self.controls[at]
                        .fleet
                        .refused(name, id, (version, &faults), memory);
                }
                Action::GoAway(farewell) => serving.outbox.push(message::go_away(farewell)),
                Action::Close(why) => return self.closes(at, link, why),
            }
        }
        self.plan_tick(at, link);
        self.pump(link);
    }

    /// Requests an earlier view from the publisher, which takes a while.
    fn recall(&mut self, at: usize, link: u64, version: Version) {
        let life = self.controls[at].life;
        if let Some(serving) = self.controls[at].serving.get_mut(&link) {
            serving.recalls = true;
        }
        // Not drawn from `random`: a draw would change the course of all seeds.
        let after = Duration::from_millis(self.numbers % LONGEST_RECALL);
        self.plan(
            after,
            Happening::Recalled {
                control: at,
                life,
                link,
                version,
            },
        );
    }

    pub(super) fn recalled(&mut self, at: usize, life: u64, link: u64, version: Version) {
        let discovers = self.setup.discovers;
        let lost = self.has(Planted::RecallLost);
        let control = &mut self.controls[at];
        let view = control.recall(version, discovers);
        let serving = control.serving.get_mut(&link);
        let Some(serving) = serving.filter(|_| control.life == life) else {
            return;
        };
        serving.recalls = false;
        self.note(|| format!("c{at} made {version} again: {}", view.is_some()));
        let Some(view) = view else { return };
        let root = view.version().root;
        if !lost {
            self.handle(at, link, Event::Recalled(view));
        }
        if let Some(serving) = self.controls[at].serving.get_mut(&link) {
            let runs = serving.session.state().running;
            serving.is_known |= lost || runs.is_some_and(|runs| runs.root == root);
        }
    }

    fn closes(&mut self, at: usize, link: u64, why: Closing) {
        let node = self.links[&link].node;
        self.note(|| format!("c{at} ends the stream of n{node}: {}", why.reason()));
        let lied = self.nodes[node].is_lied_about;
        if why == Closing::Drifted && !lied {
            self.breaks_for(
                Promise::FitsTheNode,
                node,
                "acknowledged a root other than the one sent",
            );
        }
        let flushes = !matches!(why, Closing::Stuck | Closing::Lost | Closing::Drifted);
        self.stops_serving(link, flushes);
    }

    /// Closes the stream on the side of control; with `flushes`, sends queued messages first.
    pub(super) fn stops_serving(&mut self, link: u64, flushes: bool) {
        let Some(on) = self.links.get(&link) else {
            return;
        };
        let (at, node, life) = (on.control, on.node, on.control_life);
        self.disturb(node);
        let control = &mut self.controls[at];
        if control.life != life {
            return;
        }
        if control
            .names
            .get(&node)
            .is_some_and(|(named, ..)| *named == link)
        {
            control.names.remove(&node);
        }
        let Some(mut serving) = control.serving.remove(&link) else {
            return;
        };
        let memory = serving.session.memory();
        control
            .fleet
            .left(&self.nodes[node].name, serving.id, memory);
        while let Some(message) = serving.outbox.pop().filter(|_| flushes) {
            self.send_down(link, Self::message(message.encode_to_vec()));
        }
        self.send_down(link, Travels::End);
    }

    fn plan_tick(&mut self, at: usize, link: u64) {
        let life = self.controls[at].life;
        let Some(serving) = self.controls[at].serving.get(&link) else {
            return;
        };
        let due = self.after(serving.session.deadline());
        if serving.tick.is_some_and(|planned| planned <= due) {
            return;
        }
        if let Some(serving) = self.controls[at].serving.get_mut(&link) {
            serving.tick = Some(due);
        }
        self.plan_at(
            due,
            Happening::Tick {
                control: at,
                life,
                link,
            },
        );
    }

    pub(super) fn tick(&mut self, at: usize, life: u64, link: u64) {
        let now = self.now;
        let control = &mut self.controls[at];
        let serving = control
            .serving
            .get_mut(&link)
            .filter(|_| control.life == life);
        let Some(serving) = serving else { return };
        if serving.tick.is_some_and(|planned| planned <= now) {
            serving.tick = None;
            self.handle(at, link, Event::Tick);
            self.plan_tick(at, link);
        }
    }
}

fn name_of(event: &Event) -> String {
    match event {
        Event::Ack { update_id, version } => format!("Ack of {update_id}, {version}"),
        Event::Nack {
            update_id, kept, ..
        } => format!("Nack of {update_id}, keeps {}", shown(*kept)),
        Event::Digest { .. } => "Digest".to_owned(),
        Event::Detail { .. } => "Detail".to_owned(),
        Event::Status(_) => "Status".to_owned(),
        _ => String::new(),
    }
}
