//! The JSON of `/v1`. Shapes are a contract: fields are added, never renamed.

use aralez_proto::content::Content;
use aralez_proto::document::DocumentFault;
use aralez_proto::fault::Fault;
use aralez_proto::version::Version;
use serde::Serialize;

use crate::core::dropped::Dropped;
use crate::core::fleet::NodeCounts;
use crate::core::loss::{Loss, LossScope};
use crate::core::node::NodeState;
use crate::core::peer::PeerIdentity;
use crate::core::proof::MarkCounts;
use crate::core::session::RefusedContent;

/// The version of the shapes.
pub(super) const SHAPE: u32 = 1;

#[derive(Serialize)]
pub(super) struct VersionJson {
    pub(super) generation: u64,
    pub(super) revision: u64,
    pub(super) sequence: u64,
    pub(super) operational: u64,
    pub(super) root: String,
    pub(super) authored_root: String,
}

impl From<Version> for VersionJson {
    fn from(version: Version) -> Self {
        Self {
            generation: version.generation,
            revision: version.revision,
            sequence: version.sequence,
            operational: version.operational,
            root: version.root.to_string(),
            authored_root: version.authored_root.to_string(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct FaultJson {
    resource: Option<String>,
    code: &'static str,
    field: String,
    reason: String,
}

impl From<&Fault> for FaultJson {
    fn from(fault: &Fault) -> Self {
        Self {
            resource: fault.resource.as_ref().map(ToString::to_string),
            code: fault.code.name(),
            field: fault.field.clone(),
            reason: fault.reason.clone(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct DocumentFaultJson {
    file: String,
    line: usize,
    column: usize,
    path: String,
    reason: String,
}

impl From<&DocumentFault> for DocumentFaultJson {
    fn from(fault: &DocumentFault) -> Self {
        Self {
            file: fault.place.file.clone(),
            line: fault.place.line,
            column: fault.place.column,
            path: fault.path.clone(),
            reason: fault.reason.clone(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct RefusedJson {
    /// Root of the refused snapshot, where the faults may lie in endpoints or certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// Authored root of the refused documents: they are refused with any endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    authored_root: Option<String>,
    faults: Vec<FaultJson>,
}

impl From<&RefusedContent> for RefusedJson {
    fn from(refused: &RefusedContent) -> Self {
        let root = refused.content.root().to_string();
        let (root, authored_root) = match refused.content {
            Content::Whole(_) => (Some(root), None),
            Content::Authored(_) => (None, Some(root)),
        };
        Self {
            root,
            authored_root,
            faults: refused.faults.iter().map(FaultJson::from).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct PeerJson {
    uid: u32,
    pid: Option<i32>,
}

impl From<PeerIdentity> for PeerJson {
    fn from(peer: PeerIdentity) -> Self {
        let PeerIdentity { uid, pid } = peer;
        Self { uid, pid }
    }
}

#[derive(Serialize)]
pub(super) struct NodeJson {
    pub(super) node: String,
    pub(super) group: String,
    pub(super) proxy_version: String,
    /// The process that has its stream or had it last, as the kernel names it; `null` where it has had none since control was started.
    pub(super) peer: Option<PeerJson>,
    pub(super) connected: bool,
    pub(super) state: &'static str,
    pub(super) running: Option<VersionJson>,
    /// The newest version that is safe on the node's disk, as it last said.
    pub(super) persisted: Option<VersionJson>,
    pub(super) origin: String,
    /// How long ago, in milliseconds.
    pub(super) last_seen_ms: u64,
    pub(super) refused: Option<RefusedJson>,
    pub(super) troubles: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct NodesJson {
    pub(super) version: u32,
    pub(super) head: VersionJson,
    pub(super) nodes: Vec<NodeJson>,
    pub(super) turned_away: Vec<TurnedAwayJson>,
}

/// A node that was turned away lately: it is not, or not any more, part of this fleet.
#[derive(Serialize)]
pub(super) struct TurnedAwayJson {
    pub(super) node: String,
    pub(super) group: String,
    pub(super) proxy_version: String,
    /// `ahead` or `foreign`.
    pub(super) state: &'static str,
    pub(super) reason: String,
    pub(super) held: Option<VersionJson>,
    /// How long ago it was first turned away, in milliseconds.
    pub(super) since_ms: u64,
    /// How long ago it was last, in milliseconds.
    pub(super) last_seen_ms: u64,
}

#[derive(Serialize)]
pub(super) struct CommittedJson {
    pub(super) version: u32,
    #[serde(flatten)]
    pub(super) head: VersionJson,
    pub(super) changed: bool,
    pub(super) warnings: Vec<String>,
    /// The hosts that went because the new set lacks the documents that had them.
    pub(super) drops: Vec<DroppedJson>,
}

/// The hosts that go with a document that a new set lacks.
#[derive(Serialize)]
pub(super) struct DroppedJson {
    document: String,
    hosts: Vec<String>,
}

impl From<&Dropped> for DroppedJson {
    fn from(dropped: &Dropped) -> Self {
        Self {
            document: dropped.document.clone(),
            hosts: dropped.hosts.iter().map(ToString::to_string).collect(),
        }
    }
}

#[derive(Serialize)]
pub(super) struct PushNodeJson {
    pub(super) node: String,
    pub(super) group: String,
    pub(super) state: &'static str,
    pub(super) running: Option<VersionJson>,
    pub(super) faults: Vec<FaultJson>,
}

/// How many nodes are in each state.
#[derive(Serialize)]
pub(super) struct PushCountsJson {
    pub(super) pending: usize,
    pub(super) applied: usize,
    pub(super) superseded: usize,
    pub(super) refused: usize,
    pub(super) duplicate: usize,
    pub(super) lost: usize,
    pub(super) away: usize,
}

impl From<MarkCounts> for PushCountsJson {
    fn from(counts: MarkCounts) -> Self {
        Self {
            pending: counts.pending,
            applied: counts.applied,
            superseded: counts.superseded,
            refused: counts.refused,
            duplicate: counts.duplicate,
            lost: counts.lost,
            away: counts.away,
        }
    }
}

#[derive(Serialize)]
pub(super) struct PushJson {
    pub(super) version: u32,
    pub(super) revision: u64,
    pub(super) outcome: &'static str,
    /// For whom the outcome waits: `present` or `all`.
    pub(super) awaited: &'static str,
    pub(super) counts: PushCountsJson,
    pub(super) nodes: Vec<PushNodeJson>,
    pub(super) turned_away: Vec<TurnedAwayJson>,
}

#[derive(Serialize)]
pub(super) struct DocumentsJson {
    pub(super) source: String,
    pub(super) hash: String,
    pub(super) faults: Vec<DocumentFaultJson>,
    pub(super) warnings: Vec<DocumentFaultJson>,
    /// How many files are not read because somebody has been writing them for more than a minute.
    pub(super) writing: usize,
    /// The files that wait for a second look; `null` where they do not.
    pub(super) held: Option<HeldJson>,
}

#[derive(Serialize)]
pub(super) struct HeldJson {
    /// The id for `POST /v1/sources/release?held=ID`: it releases exactly this change.
    pub(super) id: String,
    /// For how long, in milliseconds.
    pub(super) held_ms: u64,
    /// When they are taken if they stay as they are, in milliseconds from now; `null`: not by time.
    pub(super) taken_in_ms: Option<u64>,
    pub(super) removes: Vec<LossJson>,
    /// The documents whose files are gone as a whole; their last content stays.
    pub(super) gone: Vec<String>,
}

/// More than half of something that would go at once.
#[derive(Serialize)]
pub(super) struct LossJson {
    /// `hosts` or `pool`.
    of: &'static str,
    /// The pool, or the group whose hosts these are; empty for the groups without a view of their own.
    name: String,
    before: usize,
    removed: usize,
}

impl From<&Loss> for LossJson {
    fn from(loss: &Loss) -> Self {
        let (of, name) = match &loss.from {
            LossScope::Hosts => ("hosts", String::new()),
            LossScope::HostsOf(group) => ("hosts", group.to_string()),
            LossScope::Pool(pool) => ("pool", pool.to_string()),
        };
        Self {
            of,
            name,
            before: loss.before,
            removed: loss.removed,
        }
    }
}

#[derive(Serialize)]
pub(super) struct CountsJson {
    pub(super) connected: usize,
    pub(super) current: usize,
    pub(super) refusing: usize,
    pub(super) duplicate: usize,
    pub(super) lost: usize,
}

impl From<NodeCounts> for CountsJson {
    fn from(counts: NodeCounts) -> Self {
        Self {
            connected: counts.connected,
            current: counts.of(NodeState::Current),
            refusing: counts.of(NodeState::Refusing),
            duplicate: counts.of(NodeState::Duplicate),
            lost: counts.of(NodeState::Lost),
        }
    }
}

/// How a source is doing.
#[derive(Serialize)]
pub(super) struct SourceJson {
    pub(super) name: &'static str,
    /// `waiting`, `good` or `failing`.
    pub(super) health: &'static str,
    /// Why it is failing; `null` where it is not. What it found before stays.
    pub(super) reason: Option<String>,
    pub(super) since_ms: u64,
}

#[derive(Serialize)]
pub(super) struct StatusJson {
    pub(super) version: u32,
    pub(super) cluster: String,
    #[serde(flatten)]
    pub(super) head: VersionJson,
    pub(super) documents: DocumentsJson,
    pub(super) sources: Vec<SourceJson>,
    pub(super) nodes: CountsJson,
    pub(super) turned_away: Vec<TurnedAwayJson>,
    /// Faults of control itself, as text for an operator.
    pub(super) troubles: Vec<String>,
}
