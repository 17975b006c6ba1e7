//! The fleet: which node runs what, and the proof of each commit.
//!
//! Sessions report here and the API reads here. A node that disconnected stays listed. The fleet makes no decisions about streams.

use parking_lot::{Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::fault::Fault;
use aralez_proto::model::NodeName;
use aralez_proto::version::Version;

use crate::core::node::{DUPLICATE_SHOWN, NodeFacts, NodeRecord, NodeState, StreamId};
use crate::core::proof::{DecidedUpTo, Observed, Proof, Proofs};
use crate::core::roster::{KEPT, Roster, RosterChange};
use crate::core::session::{NodeMemory, NodeStatus, SessionState};
use crate::core::touched::TouchedGroups;
use crate::core::turned_away::TurnedAwayNodes;

mod listing;

pub use listing::{ListedNodes, Listing, NodeCounts, PushListing};

#[cfg(test)]
mod tests;

/// Maximum number of listed nodes. Beyond it, the disconnected node that was seen longest ago is forgotten.
const MAX_NODES: usize = 65_536;

/// All known nodes, with what each of them runs.
#[derive(Debug, Default)]
pub struct Fleet {
    /// Shared with the listings that are being read.
    nodes: BTreeMap<NodeName, Arc<NodeRecord>>,
    turned_away: TurnedAwayNodes,
    proofs: Proofs,
    roster: Roster,
    roster_trouble: Option<String>,
}

impl Fleet {
    /// Records that a node has a stream. A later stream of the same node replaces an earlier one, in whichever order the two are recorded.
    pub fn joined(
        &mut self,
        stream: StreamId,
        facts: NodeFacts,
        state: SessionState,
        now: Instant,
    ) {
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
        let settled = self.proofs.observe(who, &state, DecidedUpTo::default());
        let status = NodeStatus {
            running: state.running,
            ..NodeStatus::default()
        };
        let record = NodeRecord {
            group: facts.group,
            proxy_version: facts.proxy_version,
            peer: facts.peer,
            stream: Some(stream),
            session: state,
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

    /// Restores a node that control knew before its restart. Pushes wait for it until `expected_until`; `None` if it was not connected.
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
            session: SessionState::default(),
            status: NodeStatus::default(),
            last_seen,
            connected_since: last_seen,
            duplicate: None,
            memory: None,
            settled: DecidedUpTo::default(),
            expected_until,
        };
        self.nodes
            .entry(facts.node)
            .or_insert_with(|| Arc::new(record));
    }

    /// Advances the time: gives up waiting for nodes that have not come back in time, and forgets nodes that have been gone for very long.
    pub fn tick(&mut self, now: Instant) {
        let late = |until: Instant| now >= until;
        for (node, record) in &mut self.nodes {
            if record.expected_until.is_some_and(late) {
                Arc::make_mut(record).expected_until = None;
                self.proofs.lost(node);
            }
        }
        if !self.roster.take_due(now) {
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

    /// Forgets a node without a stream, on an operator's request.
    ///
    /// # Errors
    /// If it has a stream or is not known.
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

    /// Returns the roster, from which the owner of the store takes the changes to write.
    pub const fn roster(&mut self) -> &mut Roster {
        &mut self.roster
    }

    /// Returns why the roster could not be written; `None` if it could.
    pub fn roster_trouble(&self) -> Option<&str> {
        self.roster_trouble.as_deref()
    }

    /// Records the result of the last write of the roster: `None` if it succeeded.
    pub fn roster_written(&mut self, trouble: Option<String>) {
        self.roster_trouble = trouble;
    }

    /// Records the state of a session's node. `heard` is the time of the node's own last message: a newer view does not change it.
    pub fn observe(
        &mut self,
        node: &NodeName,
        stream: StreamId,
        state: SessionState,
        heard: Instant,
    ) {
        let Some(record) = of_stream(&mut self.nodes, node, stream) else {
            return;
        };
        record.last_seen = heard;
        let duplicate = current_duplicate(record.duplicate, heard);
        let changed = record.session != state || record.duplicate != duplicate;
        if changed {
            // Reports of a duplicate prove nothing: evaluate all proofs again when that changes.
            let settled = if record.duplicate == duplicate {
                record.settled
            } else {
                DecidedUpTo::default()
            };
            let who = Observed {
                node,
                group: &record.group,
                duplicate: duplicate.is_some(),
            };
            record.settled = self.proofs.observe(who, &state, settled);
            record.session = state;
            record.duplicate = duplicate;
        }
        self.turned_away.forget_old(heard);
    }

    /// Records that a node applied an update from its stream. Its origin changes now, since its next status may arrive much later.
    pub fn applied(&mut self, node: &NodeName, stream: StreamId) {
        if let Some(record) = of_stream(&mut self.nodes, node, stream) {
            "stream".clone_into(&mut record.status.origin);
        }
    }

    /// Records a node's status.
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

    /// Records that a node refused a version. `memory` prevents the next stream from sending it again, however this one closes.
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

    /// Records that a stream closed.
    pub fn left(&mut self, node: &NodeName, stream: StreamId, memory: NodeMemory) {
        if let Some(record) = of_stream(&mut self.nodes, node, stream) {
            record.stream = None;
            record.memory = Some(memory);
            self.proofs.left(node);
            let change = seen(record);
            self.roster.note(node, change);
        }
    }

    /// Records that a node was turned away, and why. A connected node of the same name is not affected.
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

    /// Returns the nodes that were turned away recently.
    pub const fn turned_away_nodes(&self) -> &TurnedAwayNodes {
        &self.turned_away
    }

    /// Records that a second process claimed the name of a connected node. A report cannot be attributed to one of the two, so none counts
    /// as proof.
    pub fn duplicated(&mut self, node: &NodeName, now: Instant) {
        if let Some(record) = self.nodes.get_mut(node) {
            Arc::make_mut(record).duplicate = Some(now);
            self.proofs.duplicated(node);
        }
    }

    /// Returns what is remembered of a node's last stream.
    pub fn memory(&self, node: &NodeName) -> Option<NodeMemory> {
        self.nodes.get(node)?.memory.clone()
    }

    /// Forgets a node's remembered refusals. Returns `false` if the node is unknown.
    pub fn forgive(&mut self, node: &NodeName) -> bool {
        let Some(record) = self.nodes.get_mut(node) else {
            return false;
        };
        if let Some(memory) = &mut Arc::make_mut(record).memory {
            memory.forgive();
        }
        true
    }

    /// Begins the proof of a new head with the nodes that are connected. Repeating the call changes nothing.
    pub fn committed(&mut self, version: Version, touched: &TouchedGroups) {
        self.proofs.begin(version, touched, &self.nodes);
    }

    /// Returns the proof of a revision; `None` if it is too old or never existed.
    pub fn proof(&self, revision: u64) -> Option<&Proof> {
        self.proofs.of(revision)
    }

    /// Returns all nodes, by name.
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

/// Returns when another process with the name of this node was last turned away; `None` once that is [`DUPLICATE_SHOWN`] ago.
fn current_duplicate(seen: Option<Instant>, now: Instant) -> Option<Instant> {
    seen.filter(|seen| now < *seen + DUPLICATE_SHOWN)
}

/// Reason why a node was not forgotten.
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

/// The fleet, shared by streams and API. The lock is held only briefly.
#[derive(Clone, Debug, Default)]
pub struct SharedFleet(Arc<Mutex<Fleet>>);

impl SharedFleet {
    /// Locks the fleet, for one read or one update.
    pub fn lock(&self) -> MutexGuard<'_, Fleet> {
        self.0.lock()
    }
}

/// An operator's commands for a node's stream.
pub trait NodeCommands: Send + Sync {
    /// Allows refused content to be sent again. Returns `false` if the node is unknown.
    fn retry(&self, node: &NodeName) -> bool;
}
