//! The JSON of `/v1`. The shapes are a contract: fields are added, never renamed.

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

/// Version of the shapes.
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
    /// Root of the refused snapshot, if the faults may be in endpoints or certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<String>,
    /// Authored root of the refused documents: they are refused whatever the endpoints are.
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
    /// The process that has the stream, or had it last, as identified by the kernel; `null` if the node has had none since control started.
    pub(super) peer: Option<PeerJson>,
    pub(super) connected: bool,
    pub(super) state: &'static str,
    pub(super) running: Option<VersionJson>,
    /// The newest version that is safe on the node's disk, as last reported.
    pub(super) persisted: Option<VersionJson>,
    pub(super) origin: String,
    /// Milliseconds since the node was last seen.
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

/// A node that was turned away recently: it is not, or no longer, part of this fleet.
#[derive(Serialize)]
pub(super) struct TurnedAwayJson {
    pub(super) node: String,
    pub(super) group: String,
    pub(super) proxy_version: String,
    /// `ahead` or `foreign`.
    pub(super) state: &'static str,
    pub(super) reason: String,
    pub(super) held: Option<VersionJson>,
    /// Milliseconds since it was first turned away.
    pub(super) since_ms: u64,
    /// Milliseconds since it was last turned away.
    pub(super) last_seen_ms: u64,
}

#[derive(Serialize)]
pub(super) struct CommittedJson {
    pub(super) version: u32,
    #[serde(flatten)]
    pub(super) head: VersionJson,
    pub(super) changed: bool,
    pub(super) warnings: Vec<String>,
    /// The hosts that were dropped because the new set lacks the documents that contained them.
    pub(super) drops: Vec<DroppedJson>,
}

/// The hosts dropped with one document that a new set lacks.
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

/// Number of nodes in each state.
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
    /// The nodes that the outcome waits for: `present` or `all`.
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
    /// Number of files that are not read because they have been written to for more than a minute.
    pub(super) writing: usize,
    /// The held change of the files; `null` if none is held.
    pub(super) held: Option<HeldJson>,
}

#[derive(Serialize)]
pub(super) struct HeldJson {
    /// The id for `POST /v1/sources/release?held=ID`, which releases exactly this change.
    pub(super) id: String,
    /// Milliseconds since the hold began.
    pub(super) held_ms: u64,
    /// Milliseconds until the files are taken if they do not change; `null` if time does not confirm them.
    pub(super) taken_in_ms: Option<u64>,
    pub(super) removes: Vec<LossJson>,
    /// The documents whose files are missing altogether; their last content is kept.
    pub(super) gone: Vec<String>,
}

/// A loss: more than half of something would be removed at once.
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

/// The health of a source.
#[derive(Serialize)]
pub(super) struct SourceJson {
    pub(super) name: &'static str,
    /// `waiting`, `good` or `failing`.
    pub(super) health: &'static str,
    /// Why it is failing; `null` if it is not. Its earlier findings are kept.
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
