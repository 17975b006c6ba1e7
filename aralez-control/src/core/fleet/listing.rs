//! What people read of the fleet. Streams wait while it is taken, so taking it copies pointers; what is made of it is made afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use aralez_proto::model::NodeName;

use super::Fleet;
use crate::core::node::{NodeRecord, NodeState};
use crate::core::proof::{Mark, MarkCounts, Proof};
use crate::core::turned_away::TurnedAwayNode;

/// All nodes at one moment.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The nodes of the fleet by name.
    pub nodes: Vec<(NodeName, Arc<NodeRecord>)>,
    /// Nodes that were turned away lately.
    pub strangers: Arc<BTreeMap<NodeName, TurnedAwayNode>>,
}

impl Listing {
    /// How a node of the fleet is doing. One without a stream that was turned away since is shown as that.
    pub fn state_of(&self, node: &NodeName, record: &NodeRecord) -> NodeState {
        state_of(&self.strangers, node, record)
    }
}

/// How many nodes are in each state, those that were turned away among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCounts {
    /// Nodes that have a stream.
    pub connected: usize,
    by_state: [usize; NodeState::ALL.len()],
}

impl NodeCounts {
    /// How many are in this state.
    pub const fn of(&self, state: NodeState) -> usize {
        self.by_state[state as usize]
    }
}

/// Which nodes of a push are wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListedNodes {
    /// All.
    All,
    /// Those that do not run it.
    Open,
    /// None: the counts say enough.
    Counts,
}

impl ListedNodes {
    const fn has(self, mark: &Mark) -> bool {
        match self {
            Self::All => true,
            Self::Open => !matches!(mark, Mark::Applied | Mark::Superseded),
            Self::Counts => false,
        }
    }
}

/// What became of a push, at one moment.
#[derive(Clone, Debug)]
pub struct PushListing {
    /// How many nodes have each mark.
    pub counts: MarkCounts,
    /// The nodes that are wanted, by name, with what is known of them.
    pub nodes: Vec<(NodeName, Mark, Option<Arc<NodeRecord>>)>,
    /// Nodes that were turned away lately.
    pub strangers: Arc<BTreeMap<NodeName, TurnedAwayNode>>,
}

impl Fleet {
    /// All nodes, to be looked at in peace.
    pub fn listing(&self) -> Listing {
        let shared = |(node, record): (&NodeName, &Arc<NodeRecord>)| {
            let record = Arc::clone(record);
            (node.clone(), record)
        };
        Listing {
            nodes: self.nodes.iter().map(shared).collect(),
            strangers: Arc::clone(self.turned_away.all()),
        }
    }

    /// What became of a revision, to be looked at in peace; `None` where it is too old or never was.
    pub fn push(&self, revision: u64, wanted: ListedNodes) -> Option<PushListing> {
        let proof = self.proof(revision)?;
        Some(PushListing {
            counts: proof.counts(),
            nodes: match wanted {
                ListedNodes::Counts => Vec::new(),
                ListedNodes::All | ListedNodes::Open => self.marked(proof, wanted),
            },
            strangers: Arc::clone(self.turned_away.all()),
        })
    }

    /// Both go by name, so one walk beside the other finds what is known of each.
    fn marked(
        &self,
        proof: &Proof,
        wanted: ListedNodes,
    ) -> Vec<(NodeName, Mark, Option<Arc<NodeRecord>>)> {
        let mut known = self.nodes.iter().peekable();
        let marks = proof.nodes().iter().filter(|(_, mark)| wanted.has(mark));
        let with_record = |(node, mark): (&NodeName, &Mark)| {
            while known.next_if(|(name, _)| *name < node).is_some() {}
            let record = known.next_if(|(name, _)| *name == node);
            let record = record.map(|(_, record)| Arc::clone(record));
            (node.clone(), mark.clone(), record)
        };
        marks.map(with_record).collect()
    }

    /// How many nodes are in each state.
    pub fn counts(&self) -> NodeCounts {
        let mut counts = NodeCounts::default();
        let strangers = self.turned_away.all();
        for (node, record) in &self.nodes {
            let state = state_of(strangers, node, record);
            counts.by_state[state as usize] += 1;
            counts.connected += usize::from(record.stream.is_some());
        }
        for (node, stranger) in &**strangers {
            if !self.nodes.contains_key(node) {
                counts.by_state[stranger.state as usize] += 1;
            }
        }
        counts
    }
}

fn state_of(
    strangers: &BTreeMap<NodeName, TurnedAwayNode>,
    node: &NodeName,
    record: &NodeRecord,
) -> NodeState {
    match record.stream {
        Some(_) => record.state(),
        None => strangers
            .get(node)
            .map_or_else(|| record.state(), |stranger| stranger.state),
    }
}

#[cfg(test)]
mod tests;
