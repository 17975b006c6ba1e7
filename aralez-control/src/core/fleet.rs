//! The fleet: which node runs what, and what became of each commit.
//!
//! Sessions report here, the API reads here. A node that left stays listed. It decides nothing about streams.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use aralez_proto::fault::Fault;
use aralez_proto::model::NodeName;
use aralez_proto::version::Version;

use crate::core::node::{DUPLICATE_SHOWN, NodeFacts, NodeRecord, NodeState, StreamId};
use crate::core::proof::{Observed, Proof, Proofs, Settled};
use crate::core::roster::{KEPT, Roster, RosterChange};
use crate::core::session::{NodeMemory, NodeStatus, Standing};
use crate::core::touched::TouchedGroups;
use crate::core::turned_away::TurnedAwayNodes;

mod listing;

pub use listing::{ListedNodes, Listing, NodeCounts, PushListing};

#[cfg(test)]
mod tests;

/// How many nodes are listed. Beyond it, the ones that are gone longest are forgotten.
const MAX_NODES: usize = 65_536;

/// Which node runs what.
#[derive(Debug, Default)]
pub struct Fleet {
    /// Shared with those who look at a listing meanwhile.
    nodes: BTreeMap<NodeName, Arc<NodeRecord>>,
    turned_away: TurnedAwayNodes,
    proofs: Proofs,
    roster: Roster,
    roster_trouble: Option<String>,
}

impl Fleet {
    /// A node got a stream. A later stream of the same node replaces an earlier one, whichever of the two says so first.
    pub fn joined(&mut self, stream: StreamId, facts: NodeFacts, standing: Standing, now: Instant) {
        let here = self.nodes.get(&facts.node).and_then(|here| here.stream);
        if here.is_some_and(|here| here > stream) {
            return;
        }
        self.turned_away.let_in(&facts.node);
        let before = self.nodes.get(&facts.node);
        let duplicate = before.and_then(|before| current_duplicate(before.duplicate, now));
        let who = Observed {
            node: &facts.node,
            group: &facts.group,
            duplicate: duplicate.is_some(),
        };
        let settled = self.proofs.observe(who, &standing, Settled::default());
        let status = NodeStatus {
            running: standing.running,
            ..NodeStatus::default()
        };
        let record = NodeRecord {
            group: facts.group,
            proxy_version: facts.proxy_version,
            peer: facts.peer,
            stream: Some(stream),
            standing,
            status,
            last_seen: now,
            connected_since: now,
            duplicate,
            memory: self.memory(&facts.node),
            settled,
            expected_until: None,
        };
        self.roster.note(&facts.node, seen(&record));
        self.nodes.insert(facts.node, Arc::new(record));
        self.forget_beyond(MAX_NODES);
    }

    /// A node that control knew before it was started again. It is waited for until `expected_until`; `None`: it was away before.
    pub fn remember(
        &mut self,
        facts: NodeFacts,
        last_seen: Instant,
        expected_until: Option<Instant>,
    ) {
        let record = NodeRecord {
            group: facts.group,
            proxy_version: facts.proxy_version,
            peer: facts.peer,
            stream: None,
            standing: Standing::default(),
            status: NodeStatus::default(),
            last_seen,
            connected_since: last_seen,
            duplicate: None,
            memory: None,
            settled: Settled::default(),
            expected_until,
        };
        self.nodes
            .entry(facts.node)
            .or_insert_with(|| Arc::new(record));
    }

    /// Time went by: nodes that have not come back are no longer waited for, and those that are gone very long are forgotten.
    pub fn tick(&mut self, now: Instant) {
        let late = |until: Instant| now >= until;
        for (node, record) in &mut self.nodes {
            if record.expected_until.is_some_and(late) {
                Arc::make_mut(record).expected_until = None;
                self.proofs.lost(node);
            }
        }
        if !self.roster.is_due(now) {
            return;
        }
        let old = |record: &NodeRecord| record.stream.is_none() && now >= record.last_seen + KEPT;
        let gone = self.nodes.iter().filter(|(_, record)| old(record));
        let gone: Vec<_> = gone.map(|(node, _)| node.clone()).collect();
        gone.iter().for_each(|node| self.drop_node(node));
        for (node, record) in &self.nodes {
            if record.stream.is_some() {
                self.roster.note(node, seen(record));
            }
        }
    }

    /// Forgets a node that has no stream, at the word of an operator.
    ///
    /// # Errors
    /// Where it has one, or is not known.
    pub fn forget(&mut self, node: &NodeName) -> Result<(), NotForgotten> {
        let stranger = self.turned_away.all().contains_key(node);
        match self.nodes.get(node) {
            Some(record) if record.stream.is_some() => return Err(NotForgotten::Connected),
            None if !stranger => return Err(NotForgotten::Unknown),
            Some(_) | None => {}
        }
        self.turned_away.let_in(node);
        self.drop_node(node);
        Ok(())
    }

    fn drop_node(&mut self, node: &NodeName) {
        if self.nodes.remove(node).is_some() {
            self.proofs.forget(node);
            self.roster.note(node, RosterChange::Forgotten);
        }
    }

    /// What is to be written of the nodes, for the owner of the store.
    pub const fn roster(&mut self) -> &mut Roster {
        &mut self.roster
    }

    /// Why the roster cannot be written; `None` where it is.
    pub fn roster_trouble(&self) -> Option<&str> {
        self.roster_trouble.as_deref()
    }

    /// Whether the roster could be written.
    pub fn roster_written(&mut self, trouble: Option<String>) {
        self.roster_trouble = trouble;
    }

    /// A session knows more. `heard` is when the node itself last said something: a newer view says nothing of it.
    pub fn observe(
        &mut self,
        node: &NodeName,
        stream: StreamId,
        standing: Standing,
        heard: Instant,
    ) {
        let Some(record) = of_stream(&mut self.nodes, node, stream) else {
            return;
        };
        record.last_seen = heard;
        let duplicate = current_duplicate(record.duplicate, heard);
        let changed = record.standing != standing || record.duplicate != duplicate;
        if changed {
            // What was no proof while the node was a duplicate is looked at again.
            let settled = if record.duplicate == duplicate {
                record.settled
            } else {
                Settled::default()
            };
            let who = Observed {
                node,
                group: &record.group,
                duplicate: duplicate.is_some(),
            };
            record.settled = self.proofs.observe(who, &standing, settled);
            record.standing = standing;
            record.duplicate = duplicate;
        }
        self.turned_away.forget_old(heard);
    }

    /// A node applied an update that its stream brought: true at once, though its next status is a while away.
    pub fn applied(&mut self, node: &NodeName, stream: StreamId) {
        if let Some(record) = of_stream(&mut self.nodes, node, stream) {
            "stream".clone_into(&mut record.status.origin);
        }
    }

    /// A node said how it is.
    pub fn reported(
        &mut self,
        node: &NodeName,
        stream: StreamId,
        status: NodeStatus,
        now: Instant,
    ) {
        if let Some(record) = of_stream(&mut self.nodes, node, stream) {
            record.last_seen = now;
            record.status = status;
        }
    }

    /// A node refused a version. `memory` keeps it from being sent again over the next stream, however this one ends.
    pub fn refused(
        &mut self,
        node: &NodeName,
        stream: StreamId,
        refused: (Version, &Arc<[Fault]>),
        memory: NodeMemory,
    ) {
        if let Some(record) = of_stream(&mut self.nodes, node, stream) {
            record.memory = Some(memory);
            self.proofs.refused(node, refused.0, refused.1);
        }
    }

    /// A stream ended.
    pub fn left(&mut self, node: &NodeName, stream: StreamId, memory: NodeMemory) {
        if let Some(record) = of_stream(&mut self.nodes, node, stream) {
            record.stream = None;
            record.memory = Some(memory);
            self.proofs.left(node);
            let change = seen(record);
            self.roster.note(node, change);
        }
    }

    /// A node was turned away, for this reason. A good node of the same name stays what it is.
    pub fn turned_away(
        &mut self,
        facts: NodeFacts,
        state: NodeState,
        why: (String, Option<Version>),
        now: Instant,
    ) {
        let connected = |record: &Arc<NodeRecord>| record.stream.is_some();
        if !self.nodes.get(&facts.node).is_some_and(connected) {
            self.proofs.lost(&facts.node);
        }
        self.turned_away.add(facts, state, why, now);
    }

    /// Nodes that were turned away lately.
    pub const fn strangers(&self) -> &TurnedAwayNodes {
        &self.turned_away
    }

    /// A second process claimed the name of a connected node. A report cannot be assigned to one of the two, so none counts as proof.
    pub fn duplicated(&mut self, node: &NodeName, now: Instant) {
        if let Some(record) = self.nodes.get_mut(node) {
            Arc::make_mut(record).duplicate = Some(now);
            self.proofs.duplicated(node);
        }
    }

    /// What is remembered of a node's last stream.
    pub fn memory(&self, node: &NodeName) -> Option<NodeMemory> {
        self.nodes.get(node)?.memory.clone()
    }

    /// Forgets what is remembered of a node's refusals. `false` where nobody knows the node.
    pub fn forgive(&mut self, node: &NodeName) -> bool {
        let Some(record) = self.nodes.get_mut(node) else {
            return false;
        };
        if let Some(memory) = &mut Arc::make_mut(record).memory {
            memory.forgive();
        }
        true
    }

    /// There is a new head: its proof begins with the nodes that are here. Saying it twice changes nothing.
    pub fn committed(&mut self, version: Version, touched: &TouchedGroups) {
        self.proofs.begin(version, touched, &self.nodes);
    }

    /// What became of a revision; `None` where it is too old or never was.
    pub fn proof(&self, revision: u64) -> Option<&Proof> {
        self.proofs.of(revision)
    }

    /// All nodes by name.
    pub const fn nodes(&self) -> &BTreeMap<NodeName, Arc<NodeRecord>> {
        &self.nodes
    }

    fn forget_beyond(&mut self, max: usize) {
        if self.nodes.len() <= max {
            return;
        }
        let gone = self
            .nodes
            .iter()
            .filter(|(_, record)| record.stream.is_none())
            .min_by_key(|(_, record)| record.last_seen)
            .map(|(node, _)| node.clone());
        if let Some(node) = gone {
            self.drop_node(&node);
        }
    }
}

/// When the other process was last turned away, while that counts.
fn current_duplicate(seen: Option<Instant>, now: Instant) -> Option<Instant> {
    seen.filter(|seen| now < *seen + DUPLICATE_SHOWN)
}

/// Why a node was not forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotForgotten {
    /// It has a stream.
    Connected,
    /// No node of this name is listed.
    Unknown,
}

fn seen(record: &NodeRecord) -> RosterChange {
    RosterChange::Seen {
        group: record.group.clone(),
        last_seen: record.last_seen,
        connected: record.stream.is_some(),
    }
}

fn of_stream<'a>(
    nodes: &'a mut BTreeMap<NodeName, Arc<NodeRecord>>,
    node: &NodeName,
    stream: StreamId,
) -> Option<&'a mut NodeRecord> {
    nodes
        .get_mut(node)
        .filter(|record| record.stream == Some(stream))
        .map(Arc::make_mut)
}

/// The fleet as streams and API share it. Nobody holds it for long.
#[derive(Clone, Debug, Default)]
pub struct SharedFleet(Arc<Mutex<Fleet>>);

impl SharedFleet {
    /// The fleet, for one look or one note.
    pub fn lock(&self) -> MutexGuard<'_, Fleet> {
        // Every change is made in one call, so even what a panic left behind is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an operator can ask of a node's stream.
pub trait NodeCommands: Send + Sync {
    /// Lets refused content be tried again. `false` where nobody knows the node.
    fn retry(&self, node: &NodeName) -> bool;
}
