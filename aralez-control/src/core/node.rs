//! One node of the fleet, as control knows it.

use std::time::{Duration, Instant};

use aralez_proto::model::{GroupName, NodeName};

use crate::core::peer::PeerIdentity;
use crate::core::proof::DecidedUpTo;
use crate::core::session::{Hello, NodeMemory, NodeStatus, SessionState};

/// Time for which a node is shown as a duplicate after another process last claimed its name: longer than that process waits between two
/// attempts.
pub const DUPLICATE_SHOWN: Duration = Duration::from_secs(150);

/// Number of a stream within one boot of control; a later stream has a higher number.
pub type StreamId = u64;

/// Identity of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeFacts {
    /// Its name.
    pub node: NodeName,
    /// Its group.
    pub group: GroupName,
    /// Its release.
    pub proxy_version: String,
    /// The process that has its stream, as the transport proves it; `None` if the node has had no stream since control started.
    pub peer: Option<PeerIdentity>,
}

impl NodeFacts {
    /// Builds the facts of a node from its Hello. This is the only place that reads names from a Hello, because what the transport proves
    /// takes precedence over what a node claims. A process on this machine proves only its user, and a trusted user may run nodes of any
    /// name and group.
    pub fn introduced(peer: PeerIdentity, hello: &Hello) -> Self {
        Self {
            node: hello.node.clone(),
            group: hello.group.clone(),
            proxy_version: hello.proxy_version.clone(),
            peer: Some(peer),
        }
    }
}

/// State of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NodeState {
    /// It runs the newest version.
    Current,
    /// It does not run the newest version yet.
    Behind,
    /// It refuses the newest version.
    Refusing,
    /// Two running processes have its name.
    Duplicate,
    /// It has no stream.
    Lost,
    /// It was turned away: it holds a newer version than control has.
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

    /// Returns the name used in JSON and metrics.
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
    /// Its stream; `None` if it has none.
    pub stream: Option<StreamId>,
    /// State of its session.
    pub session: SessionState,
    /// Its last status.
    pub status: NodeStatus,
    /// Time of its last message.
    pub last_seen: Instant,
    /// Time at which its current or last stream began.
    pub connected_since: Instant,
    /// Time at which another process of this name was last turned away; `None` once that is [`DUPLICATE_SHOWN`] ago.
    pub duplicate: Option<Instant>,
    pub(super) memory: Option<NodeMemory>,
    /// Bound of the proofs that need no further evaluation while it has this stream.
    pub(super) settled: DecidedUpTo,
    /// End of the time for which a push waits for it although it has no stream: it had one before control restarted.
    pub(super) expected_until: Option<Instant>,
}

impl NodeRecord {
    /// Returns the state of the node.
    pub fn state(&self) -> NodeState {
        if self.stream.is_none() {
            return NodeState::Lost;
        }
        if self.duplicate.is_some() {
            return NodeState::Duplicate;
        }
        if self.session.refused.is_some() {
            return NodeState::Refusing;
        }
        let target = self.session.target;
        let current = match self.session.running {
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
