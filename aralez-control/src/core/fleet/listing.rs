//! Listings of the fleet for its readers. Streams wait while one is taken, so taking it only copies pointers; everything else is computed
//! afterwards.

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
    /// Nodes that were turned away recently.
    pub strangers: Arc<BTreeMap<NodeName, TurnedAwayNode>>,
}

impl Listing {
    /// Returns the state of a node of the fleet. A node without a stream that has been turned away since shows the state in which it was
    /// turned away.
    pub fn state_of(&self, node: &NodeName, record: &NodeRecord) -> NodeState {
        state_of(&self.strangers, node, record)
    }
}

/// Number of nodes in each state, including those that were turned away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCounts {
    /// Number of nodes that have a stream.
    pub connected: usize,
    by_state: [usize; NodeState::ALL.len()],
}

impl NodeCounts {
    /// Returns the number of nodes in this state.
    pub const fn of(&self, state: NodeState) -> usize {
        self.by_state[state as usize]
    }
}

/// Selects the nodes of a push to list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListedNodes {
    /// All.
    All,
    /// Those that do not run it.
    Open,
    /// None: the counts suffice.
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

/// The proof of a push, at one moment.
#[derive(Clone, Debug)]
pub struct PushListing {
    /// Number of nodes with each mark.
    pub counts: MarkCounts,
    /// The selected nodes, by name, with their marks and records.
    pub nodes: Vec<(NodeName, Mark, Option<Arc<NodeRecord>>)>,
    /// Nodes that were turned away recently.
    pub strangers: Arc<BTreeMap<NodeName, TurnedAwayNode>>,
}

impl Fleet {
    /// Returns all nodes, to be read without the lock.
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

    /// Returns the proof of a revision, to be read without the lock; `None` if it is too old or never existed.
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

    /// Joins marks and records. Both are sorted by name, so one parallel walk suffices.
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

    /// Counts the nodes in each state.
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
