//! Acts of the operator and of sources, and how they reach the sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use aralez_control::core::session::{Base, Event, Update};
use aralez_proto::record::{Change, RecordKey, ResourceType};

use super::{Happening, Watch, World};
use crate::model::broken::Promise;
use crate::model::content::{Content, DEADLY, Host, POISON, endpoint_key};
use crate::model::control::{Ledger, Open};
use crate::model::planted::Planted;
use crate::model::setup::Other;

/// Time within which a removal must reach every undisturbed node.
const REMOVAL: Duration = Duration::from_secs(8);
const MOST_HOSTS: u64 = 10;

/// The origin of a change: the operator's is a commit, a source's is not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Operator,
    Source,
}

impl World {
    pub(super) fn first_content(&mut self, hosts: u64) -> Content {
        let mut content = Content::default();
        for name in 0..hosts {
            let host = self.new_host();
            content.hosts.insert(name, host);
        }
        content
    }

    fn new_host(&mut self) -> Host {
        let ports = self.random.within(1, 4);
        Host {
            number: self.random.within(1, POISON - 1),
            bulky: self.random.chance(10),
            ports: (0..ports).map(|_| self.port()).collect(),
        }
    }

    fn port(&mut self) -> u16 {
        u16::try_from(self.random.within(1, 9)).unwrap_or(1)
    }

    pub(super) fn operator_acts(&mut self) {
        if self.healed {
            return;
        }
        let pause = match self.random.below(4) {
            0 => self.random.millis(10, 300),
            _ => self
                .random
                .millis(self.setup.act_gap / 3, self.setup.act_gap),
        };
        self.plan(pause, Happening::Act);
        if !self.controls[0].is_up {
            return;
        }
        match self.random.below(100) {
            0..=5 => self.retry(),
            6..=45 => self.change_endpoints(),
            _ => self.change_host(),
        }
    }

    fn retry(&mut self) {
        let node = self.random.index(self.nodes.len());
        self.note(|| format!("the operator lets n{node} try again"));
        self.nodes[node].suspects.clear();
        let control = &mut self.controls[0];
        control.refused.remove(&node);
        control.fleet.forgive(&self.nodes[node].name);
        if let Some(link) = control.link_of(node) {
            self.handle(0, link, Event::Retry);
        }
    }

    fn change_endpoints(&mut self) {
        let names: Vec<u64> = self.controls[0]
            .ledger
            .content
            .hosts
            .keys()
            .copied()
            .collect();
        let (name, port) = (self.random.pick(&names), self.port());
        let Some(name) = name else { return };
        let by = if self.setup.discovers {
            By::Source
        } else {
            By::Operator
        };
        let hosts = &mut self.controls[0].ledger.content.hosts;
        let Some(host) = hosts.get_mut(&name) else {
            return;
        };
        if host.ports.remove(&port) {
            self.publish(by);
            self.watch_removal(endpoint_key(name, port));
        } else {
            host.ports.insert(port);
            let back = endpoint_key(name, port);
            self.watches.retain(|_, watch| watch.key != back);
            self.publish(by);
        }
    }

    fn change_host(&mut self) {
        let name = self.random.below(MOST_HOSTS);
        let fresh = self.new_host();
        let number = self.random.within(1, POISON - 1);
        let kind = self.random.below(100);
        let hosts = &mut self.controls[0].ledger.content.hosts;
        let known: Vec<u64> = hosts.keys().copied().collect();
        match (kind, hosts.get_mut(&name)) {
            (0..=7, _) => {}
            (8..=20, Some(_)) if known.len() > 1 => {
                hosts.remove(&name);
                let pool_gone = |key: &RecordKey| key.name.contains(&format!("h{name}.example"));
                self.watches.retain(|_, watch| !pool_gone(&watch.key));
            }
            (21..=34, Some(host)) => host.number = POISON + number,
            (35..=44, Some(host)) => host.number = DEADLY + number,
            (45..=60, _) => mend(hosts, number, POISON),
            (_, Some(host)) => host.number = number,
            (_, None) => {
                hosts.insert(name, fresh);
            }
        }
        self.publish(By::Operator);
    }

    /// Publishes the ledger content of the first control as the newest view.
    fn publish(&mut self, by: By) {
        let control = &mut self.controls[0];
        match by {
            By::Operator => {
                control.ledger.revision += 1;
                control.ledger.note();
            }
            By::Source => control.sequence += 1,
        }
        let next = control.view_after(control.recent.newest());
        let version = next.version();
        if !control.publish(&next) {
            return;
        }
        self.note(|| format!("c0 has {version}"));
        self.note_authored();
        self.looks_follow(0);
        if let (Other::Lagging(lag), By::Operator) = (self.setup.other, by) {
            let lag = if self.healed {
                Duration::from_secs(1)
            } else {
                lag
            };
            let ledger = self.controls[0].ledger.clone();
            self.plan(lag, Happening::Follow { ledger });
        }
    }

    /// Records the authored content of the current version and checks that its name never had another content.
    pub(super) fn note_authored(&mut self) {
        let ledger = &self.controls[0].ledger;
        let (name, authored) = (
            (ledger.generation, ledger.revision),
            ledger.content.authored(),
        );
        let known = self
            .authored
            .entry(name)
            .or_insert_with(|| authored.clone());
        if *known != authored {
            self.breaks(Promise::OneNameOneContent, || {
                format!("{name:?} was another content before")
            });
        }
    }

    /// Plans for every session to see the newest view, each at its own time. A session sees views published close together as one.
    fn looks_follow(&mut self, at: usize) {
        let links: Vec<u64> = self.controls[at].serving.keys().copied().collect();
        let life = self.controls[at].life;
        for link in links {
            let Some(serving) = self.controls[at].serving.get_mut(&link) else {
                continue;
            };
            if !std::mem::replace(&mut serving.looks, true) {
                let after = self.random.millis(0, 40);
                self.plan(
                    after,
                    Happening::Look {
                        control: at,
                        life,
                        link,
                    },
                );
            }
        }
    }

    pub(super) fn look(&mut self, at: usize, life: u64, link: u64) {
        let control = &mut self.controls[at];
        if control.life != life {
            return;
        }
        let recent = Arc::clone(&control.recent);
        let before = Arc::clone(&control.before);
        let Some(serving) = control.serving.get_mut(&link) else {
            return;
        };
        serving.looks = false;
        let busy = matches!(serving.open, Some(Open::Update(..)));
        if busy && self.planted == Some(Planted::RemovalDropped) {
            let delta = before.records().delta_to(recent.newest().records());
            let removes = |change: &Change| matches!(change, Change::Delete(key) if key.kind == ResourceType::Endpoint);
            if delta.iter().any(removes) {
                return;
            }
        }
        let newest = Arc::clone(recent.newest());
        self.handle(at, link, Event::View(recent));
        if busy && self.has(Planted::SecondInFlight) {
            let update = Update {
                id: 1_000_000,
                from: Base::Nothing,
                to: newest,
            };
            self.send_update(at, link, &update);
            self.pump(link);
        }
    }

    /// Passes a commit to the lagging replica.
    pub(super) fn follow(&mut self, ledger: Ledger) {
        let Some(control) = self.controls.get_mut(1) else {
            return;
        };
        let name = |ledger: &Ledger| (ledger.generation, ledger.revision);
        if name(&ledger) <= name(&control.ledger) {
            return;
        }
        control.ledger = ledger;
        if control.is_up {
            let next = control.view_after(control.recent.newest());
            control.publish(&next);
            self.looks_follow(1);
        }
    }

    fn watch_removal(&mut self, key: RecordKey) {
        let control = &self.controls[0];
        let mut nodes = BTreeSet::new();
        for serving in control.serving.values() {
            let node = &self.nodes[serving.node];
            let Some(process) = &node.process else {
                continue;
            };
            let is_calm = process
                .machine
                .connected()
                .is_some_and(|server| node.setup.servers[server] == 0)
                && node.slow.is_none()
                && !node.is_corrupted
                && serving.is_known
                && self
                    .partitions
                    .get(&(serving.node, 0))
                    .is_none_or(|until| *until <= self.now);
            // A refusal of a whole content does not say which records are at fault, so the removal may be withheld with them.
            let refused = control.refused.get(&serving.node).into_iter().flatten();
            let mut whole = refused.filter(|refused| refused.leaves.is_empty());
            if is_calm && whole.next().is_none() {
                nodes.insert(serving.node);
            }
        }
        self.numbers += 1;
        let watch = self.numbers;
        self.watches.insert(watch, Watch { key, nodes });
        self.plan(REMOVAL, Happening::Removed { watch });
    }

    /// Drops a disturbed node from all watches: the time bound of a removal no longer applies to it.
    pub(super) fn disturb(&mut self, node: usize) {
        for watch in self.watches.values_mut() {
            watch.nodes.remove(&node);
        }
    }

    pub(super) fn judge_removal(&mut self, watch: u64) {
        let Some(watch) = self.watches.remove(&watch) else {
            return;
        };
        let serves = |node: &usize| {
            let process = self.nodes[*node].process.as_ref();
            process.is_some_and(|process| {
                process
                    .live
                    .load()
                    .snapshot
                    .records()
                    .get(&watch.key)
                    .is_some()
            })
        };
        if let Some(node) = watch.nodes.iter().copied().find(serves) {
            let (key, after) = (watch.key, REMOVAL.as_secs());
            self.breaks(Promise::RemovalArrives, || {
                format!("n{node} still has {key} after {after} s")
            });
        }
    }

    /// Commits harmless numbers for all hosts whose number is `from` or higher: all poisoned and deadly ones, or the deadly ones alone.
    pub(super) fn mend_from(&mut self, from: u64) {
        let number = self.random.within(1, POISON - 1);
        mend(&mut self.controls[0].ledger.content.hosts, number, from);
        self.publish(By::Operator);
    }
}

fn mend(hosts: &mut BTreeMap<u64, Host>, number: u64, from: u64) {
    for host in hosts.values_mut().filter(|host| host.number >= from) {
        host.number = number;
    }
}
