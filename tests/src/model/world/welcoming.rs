//! Admission of nodes: claiming a name, opening a session, turning away.

use std::sync::Arc;
use std::time::Duration;

use aralez_control::core::claim::{Claim, Claimant};
use aralez_control::core::node::{NodeFacts, NodeState, StreamId};
use aralez_control::core::session::{
    Action, Event, GoAway, Hello, OpenedSession, Pace, RefusedContent, Session, TurnedAway,
};
use aralez_control::stream::message;
use aralez_control::stream::outbox::Outbox;
use aralez_proto::version::Version;
use prost::Message as _;

use super::World;
use super::proxies::shown;
use crate::model::broken::Promise;
use crate::model::control::{Refused, Serving};
use crate::model::planted::Planted;
use crate::model::wire::Travels;

/// An admitted node.
#[derive(Clone, Copy, Debug)]
struct Arrived {
    id: StreamId,
    /// The version that it reported in `Hello`.
    told: Option<Version>,
    /// Time at which it sent `Hello`.
    sent: Duration,
}

impl World {
    pub(super) fn welcome(&mut self, at: usize, link: u64, mut hello: Hello, sent: Duration) {
        let told = hello.held;
        let head = self.controls[at].head();
        if self.has(Planted::OlderHeadTaken) {
            hello.held = told.filter(|held| held.order(&head).is_le());
        }
        // As in control, check this before the name is claimed: a proxy that cannot follow must not take the name from one that can.
        if let Err(turned) = hello.can_follow(&self.controls[at].cluster, head) {
            return self.refuse(at, link, &hello, turned);
        }
        let Some(id) = self.claim(at, link, &hello) else {
            return self.turn_away(link, name_is_taken());
        };
        let facts = facts_of(&hello);
        let node = self.links[&link].node;
        let refused = hello.refused.clone();
        match self.open_session(at, &facts, hello) {
            Ok(opened) => {
                self.note_told_refusals(at, node, told, &refused);
                self.nodes[node].is_lied_about = false;
                self.note(|| {
                    format!(
                        "c{at} welcomes n{node} with {}: {:?}",
                        shown(told),
                        opened.resume
                    )
                });
                let (now, state) = (self.instant(), opened.session.state());
                self.controls[at].fleet.joined(id, facts, state, now);
                self.serve(at, link, Arrived { id, told, sent }, opened);
            }
            Err(turned) => {
                self.controls[at].names.remove(&node);
                self.turn_away(link, turned.go_away);
            }
        }
    }

    /// Turns away a node that cannot follow, and lists it in the fleet if it is ahead.
    fn refuse(&mut self, at: usize, link: u64, hello: &Hello, turned: TurnedAway) {
        let (now, node) = (self.instant(), self.links[&link].node);
        if let Some(held) = turned.ahead.as_deref().copied() {
            let why = (turned.go_away.reason.clone(), Some(held));
            let fleet = &mut self.controls[at].fleet;
            fleet.turned_away(facts_of(hello), NodeState::Ahead, why, now);
        }
        self.note(|| format!("c{at} turns n{node} away: {}", turned.go_away.reason));
        self.turn_away(link, turned.go_away);
    }

    fn open_session(
        &self,
        at: usize,
        facts: &NodeFacts,
        hello: Hello,
    ) -> Result<OpenedSession, TurnedAway> {
        let control = &self.controls[at];
        let memory = control.fleet.memory(&facts.node);
        let memory = memory.filter(|_| !self.has(Planted::RefusalsForgotten));
        let recent = Arc::clone(&control.recent);
        let pace = Pace::default();
        Session::open(
            hello,
            &control.cluster,
            memory,
            recent,
            pace,
            self.instant(),
        )
    }

    fn serve(&mut self, at: usize, link: u64, arrived: Arrived, opened: OpenedSession) {
        let node = self.links[&link].node;
        let control = &mut self.controls[at];
        let mut outbox = Outbox::default();
        let (resume, expected) = (opened.resume, opened.expected);
        outbox.push(message::welcome(
            &control.cluster,
            Pace::default(),
            resume,
            expected,
        ));
        let is_known = |held: Version| control.recent.find(held.root).is_some();
        let serving = Serving {
            node,
            id: arrived.id,
            session: opened.session,
            outbox,
            is_known: arrived.told.is_some_and(is_known),
            open: None,
            heard: arrived.sent,
            tick: None,
            looks: false,
            recalls: false,
            derives: false,
        };
        control.serving.insert(link, serving);
        self.judge_resume(at, node, arrived.told, &opened.actions);
        self.act_of_control(at, link, opened.actions);
        self.judge_fleet(at, link);
    }

    fn judge_resume(&mut self, at: usize, node: usize, held: Option<Version>, actions: &[Action]) {
        let newest = self.controls[at].head();
        if held.is_none_or(|held| held.root != newest.root) {
            return;
        }
        let news = actions.iter().any(|action| match action {
            Action::Send(update) => update
                .from
                .version()
                .is_none_or(|from| from.root != newest.root),
            Action::AskDigest { .. } | Action::AskDetail { .. } => true,
            _ => false,
        });
        if news {
            self.breaks(Promise::UnchangedGetsNothing, || {
                format!("n{node} came to c{at} with the newest content, and is sent some")
            });
        }
    }

    /// Records the contents that a node refuses in `Hello`: they must not be sent. The content that it runs is no longer refused: it may be
    /// a suspect that was started as a last resort.
    fn note_told_refusals(
        &mut self,
        at: usize,
        node: usize,
        runs: Option<Version>,
        told: &[RefusedContent],
    ) {
        let refused = self.controls[at].refused.entry(node).or_default();
        refused.retain(|known| runs.is_none_or(|runs| !known.content.is_of(&runs)));
        for told in told {
            if refused.iter().all(|known| known.content != told.content) {
                refused.push(Refused {
                    content: told.content,
                    leaves: Vec::new(),
                    is_beyond_limits: false,
                });
            }
        }
    }

    /// Assigns a node's name to a new stream and supersedes an older one. `None` if another process of the node keeps the name.
    fn claim(&mut self, at: usize, link: u64, hello: &Hello) -> Option<u64> {
        let (node, now) = (self.links[&link].node, self.instant());
        let control = &mut self.controls[at];
        let comes = Claimant {
            boot: &hello.boot,
            replaces: &hello.replaces,
        };
        let here = control.names.get(&node);
        let claim = here.map_or(Claim::Returns, |(_, boot, replaces)| {
            let here = Claimant { boot, replaces };
            control.claims.judge(&hello.node, here, comes, now)
        });
        if matches!(claim, Claim::Duplicate | Claim::TakesOver) {
            control.fleet.duplicated(&hello.node, now);
        }
        if matches!(claim, Claim::Stale | Claim::Duplicate) {
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
        self.send_down(link, Travels::End);
    }
}

fn facts_of(hello: &Hello) -> NodeFacts {
    NodeFacts {
        node: hello.node.clone(),
        group: hello.group.clone(),
        proxy_version: hello.proxy_version.clone(),
        peer: None,
    }
}

fn name_is_taken() -> GoAway {
    GoAway {
        reason: "another process of this node is connected".to_owned(),
        retry_min: Duration::from_secs(10),
        retry_max: Duration::from_secs(30),
    }
}
