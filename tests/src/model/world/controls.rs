//! What the task of a stream does: hands every event to the session, tells the fleet, does what the session wants.

use std::time::Duration;

use aralez_control::core::fleet::{Claim, NodeFacts, judge_claim};
use aralez_control::core::session::{
    Action, Closing, Event, GoAway, Hello, Opened, Pace, Recent, RefusedRoot, Session,
};
use aralez_control::stream::message::{self, Inbound};
use aralez_control::stream::outbox::Outbox;
use aralez_proto::wire::control as wire;
use aralez_proto::wire::control::node_message::Kind;
use bytes::Bytes;
use prost::Message as _;
use std::sync::Arc;

use super::proxies::shown;
use super::{Happening, World};
use crate::model::broken::Promise;
use crate::model::control::{Open, Refused, Serving};
use crate::model::planted::Planted;

impl World {
    pub(super) fn control_hears(&mut self, link: u64, sent: Duration, bytes: Bytes) {
        let control = self.links[&link].control;
        let message = wire::NodeMessage::decode(bytes).expect("what a node encoded");
        if let Some(serving) = self.controls[control].serving.get_mut(&link) {
            serving.heard = sent;
            let inbound = message::inbound(message).expect("what a node means");
            if let Inbound::Report(event, _) = inbound {
                self.heard(control, link, event);
            }
        } else if let Some(Kind::Hello(hello)) = message.kind {
            let hello = message::hello(hello).expect("a Hello");
            self.welcome(control, link, hello, sent);
        }
    }

    fn welcome(&mut self, at: usize, link: u64, mut hello: Hello, sent: Duration) {
        let (node, now) = (self.links[&link].node, self.instant());
        if let Err(stranger) = hello.belongs(&self.controls[at].cluster) {
            return self.turn_away(link, stranger.go_away);
        }
        let Some(id) = self.claim(at, link, &hello) else {
            return self.turn_away(link, stale());
        };
        let facts = NodeFacts {
            node: hello.node.clone(),
            group: hello.group.clone(),
            proxy_version: hello.proxy_version.clone(),
        };
        let refused = hello.refused.clone();
        let control = &mut self.controls[at];
        let (recent, head) = (Arc::clone(&control.recent), control.head());
        let memory = control.fleet.memory(&facts.node);
        let memory = memory.filter(|_| self.planted != Some(Planted::RefusalsForgotten));
        let told = hello.held;
        if self.planted == Some(Planted::OlderHeadTaken) {
            hello.held = told.filter(|held| held.order(&head).is_le());
        }
        let cluster = control.cluster;
        let opened = Session::open(hello, &cluster, memory, Arc::clone(&recent), Pace::default(), now);
        let opened = match opened {
            Ok(opened) => opened,
            Err(turned) => {
                if let Some(held) = turned.ahead {
                    control.fleet.ahead(facts, held, head, now);
                }
                control.names.remove(&node);
                self.note(|| format!("c{at} turns n{node} away: {}", turned.go_away.reason));
                return self.turn_away(link, turned.go_away);
            }
        };
        self.note(|| format!("c{at} welcomes n{node} with {}: {:?}", shown(told), opened.resume));
        self.note_told_refusals(at, node, &refused);
        let Opened { session, resume, expected, actions } = opened;
        self.controls[at].fleet.joined(id, facts, session.standing(), now);
        let mut outbox = Outbox::default();
        outbox.push(message::welcome(&cluster, Pace::default(), resume, expected));
        let is_known = told.is_some_and(|held| recent.find(held.root).is_some());
        let serving = Serving {
            node,
            id,
            session,
            outbox,
            is_known,
            open: None,
            heard: sent,
            tick: None,
            looks: false,
        };
        self.controls[at].serving.insert(link, serving);
        self.judge_resume(at, node, told, &recent, &actions);
        self.act_of_control(at, link, actions);
        self.judge_fleet(at, link);
    }

    fn judge_resume(
        &mut self,
        at: usize,
        node: usize,
        held: Option<aralez_proto::version::Version>,
        recent: &Recent,
        actions: &[Action],
    ) {
        let newest = recent.newest().version();
        if held.is_none_or(|held| held.root != newest.root) {
            return;
        }
        let news = actions.iter().any(|action| match action {
            Action::Send(update) => update.from.version().is_none_or(|from| from.root != newest.root),
            Action::AskDigest { .. } | Action::AskDetail { .. } => true,
            _ => false,
        });
        if news {
            self.breaks(Promise::UnchangedGetsNothing, || {
                format!("n{node} came to c{at} with the newest content, and is sent some")
            });
        }
    }

    /// What a node says that it will not run is not to be sent either.
    fn note_told_refusals(&mut self, at: usize, node: usize, told: &[RefusedRoot]) {
        let refused = self.controls[at].refused.entry(node).or_default();
        for told in told {
            if refused.iter().all(|known| known.root != told.root) {
                refused.push(Refused {
                    root: told.root,
                    leaves: Vec::new(),
                    is_beyond_limits: false,
                });
            }
        }
    }

    /// Gives the name of a node to a new stream and takes it from an older one; `None`: the claim is stale.
    fn claim(&mut self, at: usize, link: u64, hello: &Hello) -> Option<u64> {
        let node = self.links[&link].node;
        let control = &mut self.controls[at];
        let claim = control.names.get(&node).map_or(Claim::Returns, |(_, boot, replaces)| {
            judge_claim((boot, replaces), (&hello.boot, &hello.replaces))
        });
        if claim == Claim::Stale {
            return None;
        }
        control.last_id += 1;
        let id = control.last_id;
        let name = (link, hello.boot.clone(), hello.replaces.clone());
        let before = control.names.insert(node, name);
        if let Some((before, ..)) = before {
            self.handle(at, before, Event::Superseded);
        }
        Some(id)
    }

    fn turn_away(&mut self, link: u64, farewell: GoAway) {
        let message = message::go_away(farewell).encode_to_vec();
        self.send_down(link, Self::message(message));
        self.send_down(link, crate::model::wire::Travels::End);
    }

    /// A report of a node, as the session gets it.
    fn heard(&mut self, at: usize, link: u64, mut event: Event) {
        let Some(serving) = self.controls[at].serving.get_mut(&link) else {
            return;
        };
        let node = serving.node;
        if let (Some(Open::Update(id, to)), Some(Planted::AnyReportIsAck)) = (&serving.open, self.planted) {
            event = Event::Ack {
                update_id: *id,
                version: to.version(),
            };
        }
        self.note(|| format!("c{at} hears n{node}: {}", name_of(&event)));
        if let Event::Status(status) = &event {
            let (now, id) = (self.instant(), self.controls[at].serving[&link].id);
            let name = self.nodes[node].name.clone();
            self.controls[at].fleet.reported(&name, id, status.clone(), now);
        }
        self.answered(at, link, &event);
        self.handle(at, link, event);
    }

    /// Hands an event to the session, tells the fleet, and does what comes of it.
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
            let standing = serving.session.standing();
            control.fleet.observe(name, serving.id, standing, serving.session.last_heard());
        }
        if is_ack {
            control.fleet.applied(name, serving.id);
        }
        self.act_of_control(at, link, actions);
        self.judge_fleet(at, link);
    }

    fn act_of_control(&mut self, at: usize, link: u64, actions: Vec<Action>) {
        for action in actions {
            let Some(serving) = self.controls[at].serving.get_mut(&link) else {
                return;
            };
            match action {
                Action::Send(update) => self.send_update(at, link, update),
                Action::Heartbeat { expected, count } => {
                    serving.outbox.push_heartbeat(message::heartbeat(expected, count));
                }
                Action::AskDigest { question } => {
                    serving.outbox.push(message::ask_digest(question));
                    self.opens(at, link, Open::Question);
                }
                Action::AskDetail { question, buckets } => {
                    serving.outbox.push(message::ask_detail(question, &buckets));
                    self.opens(at, link, Open::Question);
                }
                Action::Refused { version, faults } => {
                    let name = &self.nodes[serving.node].name;
                    let (id, memory) = (serving.id, serving.session.memory());
                    self.controls[at].fleet.refused(name, id, (version, &faults), memory);
                }
                Action::GoAway(farewell) => serving.outbox.push(message::go_away(farewell)),
                Action::Close(why) => return self.closes(at, link, why),
            }
        }
        self.plan_tick(at, link);
        self.pump(link);
    }

    fn closes(&mut self, at: usize, link: u64, why: Closing) {
        let node = self.links[&link].node;
        self.note(|| format!("c{at} ends the stream of n{node}: {}", why.reason()));
        let lied = self.nodes[node].is_lied_about;
        if why == Closing::Drifted && !lied {
            self.breaks_for(Promise::FitsTheNode, node, "acknowledged another root than it was sent");
        }
        let flushes = !matches!(why, Closing::Stuck | Closing::Lost | Closing::Drifted);
        self.stops_serving(link, flushes);
    }

    /// The stream ends on the side of control.
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
        if control.names.get(&node).is_some_and(|(named, ..)| *named == link) {
            control.names.remove(&node);
        }
        let Some(mut serving) = control.serving.remove(&link) else {
            return;
        };
        let memory = serving.session.memory();
        control.fleet.left(&self.nodes[node].name, serving.id, memory);
        while let Some(message) = serving.outbox.pop().filter(|_| flushes) {
            self.send_down(link, Self::message(message.encode_to_vec()));
        }
        self.send_down(link, crate::model::wire::Travels::End);
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
        self.plan_at(due, Happening::Tick { control: at, life, link });
    }

    pub(super) fn tick(&mut self, at: usize, life: u64, link: u64) {
        let now = self.now;
        let control = &mut self.controls[at];
        let serving = control.serving.get_mut(&link).filter(|_| control.life == life);
        let Some(serving) = serving else { return };
        if serving.tick.is_some_and(|planned| planned <= now) {
            serving.tick = None;
            self.handle(at, link, Event::Tick);
            self.plan_tick(at, link);
        }
    }
}

fn stale() -> GoAway {
    GoAway {
        reason: "a newer process of this node is connected".to_owned(),
        retry_min: Duration::from_secs(10),
        retry_max: Duration::from_secs(30),
    }
}

fn name_of(event: &Event) -> String {
    match event {
        Event::Ack { update_id, version } => format!("Ack of {update_id}, {version}"),
        Event::Nack { update_id, kept, .. } => format!("Nack of {update_id}, keeps {}", shown(*kept)),
        Event::Digest { .. } => "Digest".to_owned(),
        Event::Detail { .. } => "Detail".to_owned(),
        Event::Status(_) => "Status".to_owned(),
        _ => String::new(),
    }
}
