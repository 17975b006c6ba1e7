//! Messages that a proxy receives, and how its worker applies an update.

use aralez_proto::fault::{Fault, FaultCode, Faults};
use aralez_proto::record::{Change, RecordSet, ResourceType};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_proto::wire::control as wire;
use aralez_proto::wire::control::control_message::Kind;
use aralez_proto::wire::part::Items;
use aralez_proxy::core::sync::subscription::{Event, Update};
use aralez_proxy::sync::command::Command;
use aralez_proxy::sync::translate;
use bytes::Bytes;
use prost::Message as _;

use super::{Happening, World};
use crate::model::broken::Promise;
use crate::model::content;
use crate::model::node::Sender;
use crate::model::planted::Planted;
use crate::model::wire::IncomingUpdate;

impl World {
    pub(super) fn node_hears(&mut self, link: u64, bytes: &Bytes) {
        let node = self.links[&link].node;
        let mut message =
            wire::ControlMessage::decode(bytes.clone()).expect("what control encoded");
        if let Some(kind) = &mut message.kind {
            self.plant_in(link, kind);
            self.flip_bits(link, kind);
            self.watch_incoming(link, kind);
        }
        if let Some(message) = translate::message(message) {
            self.feed(node, Event::Received(message));
        }
    }

    /// Applies planted bugs to a message before the state machine receives it.
    fn plant_in(&mut self, link: u64, kind: &mut Kind) {
        let node = self.links[&link].node;
        let held = self.nodes[node]
            .process
            .as_ref()
            .and_then(|process| process.machine.held());
        let cluster = self.nodes[node].cluster.clone();
        match kind {
            Kind::Heartbeat(beat) if self.has(Planted::ExpectedIgnored) => beat.expected = None,
            Kind::Begin(begin) if self.has(Planted::OlderHeadTaken) => {
                let to = begin.to.as_mut().zip(held);
                if let Some((to, held)) = to
                    && (to.generation, to.revision) < (held.generation, held.revision)
                {
                    (to.generation, to.revision) = (held.generation, held.revision);
                }
            }
            Kind::Welcome(welcome) if self.has(Planted::AnyCluster) => {
                if let Some(cluster) = cluster {
                    welcome.cluster_id = cluster.into();
                }
            }
            _ => {}
        }
    }

    /// Flips a bit in a payload of a delta if the node is being corrupted.
    fn flip_bits(&mut self, link: u64, kind: &mut Kind) {
        let Some(on) = self.links.get_mut(&link) else {
            return;
        };
        if let Kind::Begin(begin) = kind {
            on.difference = !begin.from_root.is_empty();
        }
        let Kind::Part(part) = kind else { return };
        if !self.nodes[on.node].is_corrupted || !on.difference {
            return;
        }
        let Items::Read(items) = &mut part.items else {
            return;
        };
        if let Some(item) = items.iter_mut().find(|item| item.payload.len() > 4) {
            let mut payload = item.payload.to_vec();
            let last = payload.len() - 1;
            payload[last] ^= 1;
            item.payload = payload.into();
            on.corrupted = true;
            self.note(|| "a bit flips".to_owned());
        }
    }

    /// Records, from outside the machine, which updates arrived completely.
    fn watch_incoming(&mut self, link: u64, kind: &Kind) {
        let Some(on) = self.links.get_mut(&link) else {
            return;
        };
        match kind {
            Kind::Begin(begin) => {
                let to: Option<Version> = begin.to.clone().and_then(|to| to.try_into().ok());
                on.incoming = to.map(|to| IncomingUpdate {
                    to,
                    missing: begin.parts,
                    changes: Vec::new(),
                });
            }
            Kind::Part(part) => {
                let Some(incoming) = &mut on.incoming else {
                    return;
                };
                incoming.missing = incoming.missing.saturating_sub(1);
                if let (Items::Read(items), Some(Planted::CutUpdateApplied)) =
                    (&part.items, self.planted)
                {
                    let changes = items.iter().cloned().map(Change::try_from);
                    incoming.changes.extend(changes.filter_map(Result::ok));
                }
            }
            Kind::Commit(_) => {
                let came = on.incoming.take().filter(|incoming| incoming.missing == 0);
                let (node, control, life) = (on.node, on.control, on.control_life);
                let control_now = &self.controls[control];
                let head = (control_now.life == life).then(|| control_now.head());
                if let (Some(came), Some(process)) = (came, &mut self.nodes[node].process) {
                    process.came.insert(came.to.root, Sender { control, head });
                }
            }
            _ => {}
        }
    }

    pub(super) fn begin_apply(&mut self, node: usize, update: Update) {
        let (to, count) = (update.to, update.changes.len());
        self.note(|| format!("n{node} applies {count} changes to {to}"));
        if self.has(Planted::CacheBeforeCheck) {
            self.keep_unchecked(node, &update);
        }
        let takes = match self.random.below(20) {
            0 => self.random.millis(500, 2_000),
            _ => self.random.millis(1, 80),
        };
        let life = self.nodes[node].life;
        if let Some(process) = &mut self.nodes[node].process {
            process.applying = Some(update);
        }
        self.plan(takes, Happening::Applied { node, life });
    }

    pub(super) fn apply(&mut self, node: usize, life: u64) {
        let at = &mut self.nodes[node];
        let Some(process) = at.process.as_mut().filter(|_| at.life == life) else {
            return;
        };
        let Some(mut update) = process.applying.take() else {
            return;
        };
        let poison = self.poison_for(node, &update);
        if !poison.is_empty() {
            let version = update.to;
            let faults = poison.iter().map(|key| {
                Fault::of(
                    key,
                    FaultCode::UnknownFeature,
                    "timeouts",
                    "is of a later release",
                )
            });
            let faults = Faults::check(faults.collect()).expect_err("there are some");
            return self.feed(node, Event::Refused { version, faults });
        }
        if self.has(Planted::RootNotVerified) {
            self.believe(node, &mut update);
        }
        self.work(node, Command::Apply(update));
    }

    /// Returns the hosts that an older release refuses in the outcome of `update`.
    fn poison_for(&self, node: usize, update: &Update) -> Vec<aralez_proto::record::RecordKey> {
        let node = &self.nodes[node];
        let is_host = |change: &Change| change.key().kind == ResourceType::VirtualHost;
        let may = node.setup.is_old && update.changes.iter().any(is_host);
        let Some(process) = node.process.as_ref().filter(|_| may) else {
            return Vec::new();
        };
        let live = process.live.load();
        let nothing = Snapshot::default();
        let from = if update.full {
            &nothing
        } else {
            &*live.snapshot
        };
        let next = from.next(update.to, &update.changes, &Limits::default());
        next.map(|(next, _)| content::poison(&next))
            .unwrap_or_default()
    }

    fn records_after(&self, node: usize, update: &Update) -> RecordSet {
        match &self.nodes[node].process {
            Some(process) if !update.full => {
                process.live.load().snapshot.records().with(&update.changes)
            }
            _ => RecordSet::default().with(&update.changes),
        }
    }

    fn keep_unchecked(&self, node: usize, update: &Update) {
        let records = self.records_after(node, update);
        let mut state = self.nodes[node].disk.state();
        let marks = state.marks.clone().unwrap_or_default();
        state.write(update.to, &records, &marks);
    }

    /// Planted bug: applies the parts that arrived before the cut as if they were the whole update.
    pub(super) fn apply_what_came(&mut self, node: usize, link: u64) {
        let incoming = self.links.get_mut(&link).and_then(|on| on.incoming.take());
        let Some(incoming) = incoming.filter(|incoming| !incoming.changes.is_empty()) else {
            return;
        };
        let mut update = Update {
            full: !self.links[&link].difference,
            to: incoming.to,
            changes: incoming.changes,
        };
        self.believe(node, &mut update);
        self.work(node, Command::Apply(update));
    }

    /// Planted bug: takes the roots from the records that arrived instead of verifying them.
    fn believe(&self, node: usize, update: &mut Update) {
        let records = self.records_after(node, update);
        (update.to.root, update.to.authored_root) = (records.root(), records.authored_root());
    }

    pub(super) fn breaks_for(&mut self, promise: Promise, node: usize, what: &str) {
        self.breaks(promise, || format!("n{node} {what}"));
    }
}
