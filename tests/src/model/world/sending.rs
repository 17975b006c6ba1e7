//! Updates that control sends, and the answers to them, checked against the promises.

use std::sync::Arc;

use aralez_control::core::session::{Base, Event, Update};
use aralez_proto::content::Content;
use aralez_proto::fault::FaultCode;
use aralez_proto::record::RecordKey;
use aralez_proto::snapshot::Snapshot;
use aralez_proto::version::Version;
use prost::Message as _;

use super::{Happening, World};
use crate::model::broken::Promise;
use crate::model::control::{Open, Refused};
use crate::model::planted::Planted;
use crate::model::wire::WINDOW;

/// Maximum number of messages queued for a node.
const MOST_WAITING: usize = 4;
/// Number of refusals that control remembers of a node.
const MOST_REFUSALS: usize = 8;

impl World {
    pub(super) fn send_update(&mut self, at: usize, link: u64, update: &Update) {
        let Some(serving) = self.controls[at].serving.get(&link) else {
            return;
        };
        let node = serving.node;
        self.run.updates += 1;
        self.run.repairs += u64::from(matches!(update.from, Base::Reported(..)));
        let to = update.to.version();
        self.note(|| {
            format!(
                "c{at} sends n{node} update {} to {to}, from {}",
                update.id,
                base_of(update)
            )
        });
        if self.last_commit.is_some() && self.swallow == Some(node) {
            return self.swallow(at, link, update);
        }
        self.judge_refused(at, node, &update.to);
        self.opens(at, link, Open::Update(update.id, Arc::clone(&update.to)));
        let control = &mut self.controls[at];
        let differs = matches!(update.from, Base::Snapshot(_));
        let parts = match (self.planted, differs) {
            (Some(Planted::DeltaFromNewest), true) => control.cache.parts(&Update {
                from: Base::Snapshot(Arc::clone(&control.before)),
                ..update.clone()
            }),
            _ => control.cache.parts(update),
        };
        if let Some(serving) = control.serving.get_mut(&link) {
            serving.outbox.push_update(update, parts);
        }
    }

    /// Drops an update inside control and plans a forged Ack. Only the expected version in a heartbeat can reveal this.
    fn swallow(&mut self, control: usize, link: u64, update: &Update) {
        let node = self.links[&link].node;
        self.swallow = None;
        self.nodes[node].is_lied_about = true;
        self.note(|| format!("the update to n{node} is dropped, and an Ack is forged"));
        let happening = Happening::Forged {
            control,
            life: self.controls[control].life,
            link,
            update: update.id,
            version: update.to.version(),
        };
        let after = self.random.millis(5, 50);
        self.plan(after, happening);
    }

    pub(super) fn forge(&mut self, at: usize, life: u64, link: u64, ack: (u64, Version)) {
        if self.controls[at].life == life {
            let (update_id, version) = ack;
            self.handle(at, link, Event::Ack { update_id, version });
        }
    }

    /// Records that a message which needs an answer was sent; only one may be open.
    pub(super) fn opens(&mut self, at: usize, link: u64, open: Open) {
        let Some(serving) = self.controls[at].serving.get_mut(&link) else {
            return;
        };
        let node = serving.node;
        if serving.open.replace(open).is_some() {
            self.breaks_for(
                Promise::OneInFlight,
                node,
                "is sent something before it answered",
            );
        }
    }

    /// Closes the update or question that a report answers, and records a refusal.
    pub(super) fn answered(&mut self, at: usize, link: u64, event: &Event) {
        let Some(serving) = self.controls[at].serving.get_mut(&link) else {
            return;
        };
        let node = serving.node;
        match (event, serving.open.take()) {
            (Event::Ack { update_id, .. }, Some(Open::Update(id, _))) if *update_id == id => {
                serving.is_known = true;
            }
            (
                Event::Nack {
                    update_id, faults, ..
                },
                Some(Open::Update(id, to)),
            ) if *update_id == id => {
                if faults
                    .iter()
                    .all(|fault| fault.code == FaultCode::HashMismatch)
                {
                    return;
                }
                let resources = faults.iter().filter_map(|fault| fault.resource.clone());
                let refused = Refused {
                    content: Content::at_fault(&to.version(), faults),
                    leaves: resources
                        .map(|key| (key.clone(), leaf(&to, &key)))
                        .collect(),
                    is_beyond_limits: faults.iter().all(|fault| fault.code == FaultCode::Limit),
                };
                let known = self.controls[at].refused.entry(node).or_default();
                known.retain(|earlier| earlier.content != refused.content);
                known.push(refused);
                let surplus = known.len().saturating_sub(MOST_REFUSALS);
                known.drain(..surplus);
            }
            (Event::Digest { .. } | Event::Detail { .. }, Some(Open::Question)) => {}
            (_, open) => serving.open = open,
        }
    }

    fn judge_refused(&mut self, at: usize, node: usize, to: &Snapshot) {
        let limits = self.nodes[node].setup.limits;
        let beyond = !limits.allow(to.records(), to.resources());
        let refused = self.controls[at].refused.get(&node);
        let again = refused.into_iter().flatten().any(|refused| {
            let unchanged = |(key, before): &(RecordKey, _)| leaf(to, key) == *before;
            let as_it_was = !refused.leaves.is_empty()
                && !refused.is_beyond_limits
                && refused.leaves.iter().all(unchanged);
            let same = refused.content.is_of(&to.version());
            same || as_it_was || (refused.is_beyond_limits && beyond)
        });
        if again {
            self.breaks_for(Promise::RefusedOnce, node, "is sent again what it refused");
        }
    }

    /// Sends messages queued at control while the wire has capacity.
    pub(super) fn pump(&mut self, link: u64) {
        let Some(on) = self.links.get(&link) else {
            return;
        };
        let (at, node) = (on.control, on.node);
        if self.controls[at].life != on.control_life {
            return;
        }
        let mut room = WINDOW.saturating_sub(on.down.under_way.len());
        while room > 0 {
            let serving = self.controls[at].serving.get_mut(&link);
            let Some(message) = serving.and_then(|serving| serving.outbox.pop()) else {
                break;
            };
            self.send_down(link, Self::message(message.encode_to_vec()));
            room -= 1;
        }
        let waiting = self.controls[at]
            .serving
            .get(&link)
            .map_or(0, |serving| serving.outbox.len());
        if waiting > MOST_WAITING {
            self.breaks(Promise::Bounded, || {
                format!("{waiting} messages wait for n{node}")
            });
        }
    }

    /// Checks the fleet's record of a node against what the node ran.
    pub(super) fn judge_fleet(&mut self, at: usize, link: u64) {
        let control = &self.controls[at];
        let Some(serving) = control.serving.get(&link) else {
            return;
        };
        let node = &self.nodes[serving.node];
        let record = control.fleet.nodes().get(&node.name);
        let record = record.filter(|record| record.stream == Some(serving.id));
        let running = record.and_then(|record| record.session.running);
        let is_true = running.is_none_or(|running| node.ran_since(running.root, serving.heard));
        if !is_true && !node.is_lied_about {
            let number = serving.node;
            self.breaks(Promise::FleetIsTrue, || {
                format!(
                    "c{at} shows that n{number} runs {}",
                    super::proxies::shown(running)
                )
            });
        }
        self.judge_proofs(at);
    }

    fn judge_proofs(&mut self, at: usize) {
        let control = &self.controls[at];
        let mut proven = Vec::new();
        let mut false_for = None;
        for (revision, (version, waited)) in &control.waited {
            let proof = control.fleet.proof(*revision);
            use aralez_control::core::proof::Outcome;
            if proof.is_none_or(|proof| proof.outcome() != Outcome::Proven) {
                continue;
            }
            proven.push(*revision);
            let runs_it = |node: &usize| {
                let node = &self.nodes[*node];
                let mut ran = node.ran.iter().rev().filter_map(|(_, ran)| *ran);
                node.is_lied_about || ran.any(|ran| ran.order(version).is_ge())
            };
            false_for = false_for.or(waited
                .iter()
                .find(|node| !runs_it(node))
                .map(|node| (*node, *version)));
        }
        for revision in proven {
            self.controls[at].waited.remove(&revision);
        }
        if let Some((node, version)) = false_for {
            self.breaks(Promise::ProofHolds, || {
                format!("{version} is called proven, and n{node} never ran it")
            });
        }
    }
}

fn leaf(snapshot: &Snapshot, key: &RecordKey) -> Option<aralez_proto::hash::Digest> {
    Some(snapshot.records().get(key)?.leaf())
}

fn base_of(update: &Update) -> String {
    match &update.from {
        Base::Nothing => "nothing".to_owned(),
        Base::Snapshot(from) => from.version().to_string(),
        Base::Reported(from, _) => format!("{from} as the node reported it"),
    }
}
