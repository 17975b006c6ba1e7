//! The fleet: which node runs what, and what became of each commit.
//!
//! Sessions report here, the API reads here. A node that left stays listed. It decides nothing about streams.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use aralez_proto::fault::Fault;
use aralez_proto::model::{GroupName, NodeName};
use aralez_proto::version::Version;

use crate::core::commit::TouchedGroups;
use crate::core::proof::{Proof, Proofs};
use crate::core::session::{BootId, NodeMemory, NodeStatus, Standing};

#[cfg(test)]
mod tests;

/// How many nodes are listed. Beyond it, the ones that are gone longest are forgotten.
const MAX_NODES: usize = 65_536;

/// The number of a stream within one boot of control; a later stream has a higher one.
pub type StreamId = u64;

/// Who a node is, as it told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its name.
    pub node: NodeName,
    /// Its group.
    pub group: GroupName,
    /// Its release.
    pub proxy_version: String,
}

/// How a node is doing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NodeState {
    /// It runs what it should.
    Current,
    /// It will, but does not yet.
    Behind,
    /// It refuses what is newest.
    Refusing,
    /// It has no stream.
    Lost,
    /// It holds what is newer than all there is here.
    Ahead,
}

impl NodeState {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Current,
        Self::Behind,
        Self::Refusing,
        Self::Lost,
        Self::Ahead,
    ];

    /// The name in JSON and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Behind => "behind",
            Self::Refusing => "refusing",
            Self::Lost => "lost",
            Self::Ahead => "ahead",
        }
    }
}

/// One node.
#[derive(Clone, Debug)]
pub struct NodeRecord {
    /// Its group.
    pub group: GroupName,
    /// Its release.
    pub proxy_version: String,
    /// Its stream; `None`: it has none.
    pub stream: Option<StreamId>,
    /// What its session knows.
    pub standing: Standing,
    /// What it last said of itself.
    pub status: NodeStatus,
    /// When it was last heard.
    pub last_seen: Instant,
    /// Since when it has a stream, or when it last got one.
    pub connected_since: Instant,
    /// The version it holds, where that is newer than all there is here.
    pub ahead: Option<Version>,
    memory: Option<NodeMemory>,
    /// Up to which revision nothing becomes of a proof on this stream any more.
    settled: u64,
}

impl NodeRecord {
    /// How it is doing.
    pub fn state(&self) -> NodeState {
        if self.ahead.is_some() {
            return NodeState::Ahead;
        }
        if self.stream.is_none() {
            return NodeState::Lost;
        }
        if self.standing.refused.is_some() {
            return NodeState::Refusing;
        }
        let target = self.standing.target;
        let current = match self.standing.running {
            Some(running) => running.root == target.root && running.order(&target).is_eq(),
            None => target.revision == 0,
        };
        if current {
            NodeState::Current
        } else {
            NodeState::Behind
        }
    }
}

/// Which node runs what.
#[derive(Debug, Default)]
pub struct Fleet {
    nodes: BTreeMap<NodeName, NodeRecord>,
    proofs: Proofs,
}

impl Fleet {
    /// A node got a stream. A later stream of the same node replaces an earlier one, whichever of the two says so first.
    pub fn joined(&mut self, stream: StreamId, facts: NodeFacts, standing: Standing, now: Instant) {
        let here = self.nodes.get(&facts.node).and_then(|here| here.stream);
        if here.is_some_and(|here| here > stream) {
            return;
        }
        let who = (&facts.node, &facts.group);
        let settled = self.proofs.observe(who, &standing, 0);
        let status = NodeStatus {
            running: standing.running,
            ..NodeStatus::default()
        };
        let record = NodeRecord {
            group: facts.group,
            proxy_version: facts.proxy_version,
            stream: Some(stream),
            standing,
            status,
            last_seen: now,
            connected_since: now,
            ahead: None,
            memory: self.memory(&facts.node),
            settled,
        };
        self.nodes.insert(facts.node, record);
        self.forget_beyond(MAX_NODES);
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
        if record.standing != standing {
            let who = (node, &record.group);
            record.settled = self.proofs.observe(who, &standing, record.settled);
            record.standing = standing;
        }
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
        refused: (Version, &[Fault]),
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
            self.proofs.lost(node);
        }
    }

    /// A node was turned away because it holds what is newer than all there is here.
    pub fn ahead(&mut self, facts: NodeFacts, held: Version, head: Version, now: Instant) {
        let standing = Standing {
            running: Some(held),
            target: head,
            recognised: false,
            refused: None,
        };
        let record = NodeRecord {
            group: facts.group,
            proxy_version: facts.proxy_version,
            stream: None,
            standing,
            status: NodeStatus::default(),
            last_seen: now,
            connected_since: now,
            ahead: Some(held),
            memory: None,
            settled: 0,
        };
        self.proofs.lost(&facts.node);
        self.nodes.insert(facts.node, record);
        self.forget_beyond(MAX_NODES);
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
        if let Some(memory) = &mut record.memory {
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
    pub const fn nodes(&self) -> &BTreeMap<NodeName, NodeRecord> {
        &self.nodes
    }

    /// How many nodes are in a state.
    pub fn count(&self, state: NodeState) -> usize {
        let in_state = |record: &&NodeRecord| record.state() == state;
        self.nodes.values().filter(in_state).count()
    }

    /// How many nodes have a stream.
    pub fn connected(&self) -> usize {
        let connected = |record: &&NodeRecord| record.stream.is_some();
        self.nodes.values().filter(connected).count()
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
            self.nodes.remove(&node);
        }
    }
}

fn of_stream<'a>(
    nodes: &'a mut BTreeMap<NodeName, NodeRecord>,
    node: &NodeName,
    stream: StreamId,
) -> Option<&'a mut NodeRecord> {
    nodes
        .get_mut(node)
        .filter(|record| record.stream == Some(stream))
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

/// Who keeps the name when two streams claim it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// The same proxy came back.
    Returns,
    /// Another process took the name: either the proxy lost its state, or two proxies have one name.
    TakesOver,
    /// The claim is from a process that the one here has already replaced.
    Stale,
}

/// Judges a claim for a name that has a stream: `(boot, replaces)` of who is here and of who comes.
pub fn judge_claim(here: (&BootId, &BootId), comes: (&BootId, &BootId)) -> Claim {
    if comes.0 == here.0 || comes.1 == here.0 {
        Claim::Returns
    } else if !here.1.is_empty() && here.1 == comes.0 {
        Claim::Stale
    } else {
        Claim::TakesOver
    }
}
