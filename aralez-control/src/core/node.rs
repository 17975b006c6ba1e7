//! One node of the fleet, as control knows it.

use std::time::{Duration, Instant};

use aralez_proto::model::{GroupName, NodeName};

use crate::core::peer::PeerIdentity;
use crate::core::proof::Settled;
use crate::core::session::{Hello, NodeMemory, NodeStatus, Standing};

/// How long a node is shown as a duplicate after another process last claimed its name: longer than that process waits between two tries.
pub const DUPLICATE_SHOWN: Duration = Duration::from_secs(150);

/// The number of a stream within one boot of control; a later stream has a higher one.
pub type StreamId = u64;

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its name.
    pub node: NodeName,
    /// Its group.
    pub group: GroupName,
    /// Its release.
    pub proxy_version: String,
    /// The process that has its stream, as the transport proves it; `None` where it has had none since control was started.
    pub peer: Option<PeerIdentity>,
}

impl NodeFacts {
    /// Who introduces itself like this. Only here are names read from a Hello: what the transport proves beats what a node says of itself. A
    /// process of this machine proves its user alone, and a trusted user may run nodes of any name and group.
    pub fn introduced(peer: PeerIdentity, hello: &Hello) -> Self {
        Self {
            node: hello.node.clone(),
            group: hello.group.clone(),
            proxy_version: hello.proxy_version.clone(),
            peer: Some(peer),
        }
    }
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
    /// Two running processes have its name.
    Duplicate,
    /// It has no stream.
    Lost,
    /// It was turned away: it holds a newer version than there is here.
    Ahead,
    /// It was turned away: it belongs to another cluster, or speaks another protocol.
    Foreign,
}

impl NodeState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Current,
        Self::Behind,
        Self::Refusing,
        Self::Duplicate,
        Self::Lost,
        Self::Ahead,
        Self::Foreign,
    ];

    /// The name in JSON and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Behind => "behind",
            Self::Refusing => "refusing",
            Self::Duplicate => "duplicate",
            Self::Lost => "lost",
            Self::Ahead => "ahead",
            Self::Foreign => "foreign",
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
    /// The process that has its stream, or had it last.
    pub peer: Option<PeerIdentity>,
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
    /// When another process of this name was last turned away; `None` once that is [`DUPLICATE_SHOWN`] ago.
    pub duplicate: Option<Instant>,
    pub(super) memory: Option<NodeMemory>,
    /// Which proofs need no other look while it has this stream.
    pub(super) settled: Settled,
    /// Until when a push waits for it although it has no stream: it had one when control was started again.
    pub(super) expected_until: Option<Instant>,
}

impl NodeRecord {
    /// How it is doing.
    pub fn state(&self) -> NodeState {
        if self.stream.is_none() {
            return NodeState::Lost;
        }
        if self.duplicate.is_some() {
            return NodeState::Duplicate;
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
