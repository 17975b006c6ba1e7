//! What can be read: the fleet, the state of control, what became of a push.

use std::time::{Duration, Instant};

use aralez_proto::model::NodeName;
use aralez_proto::version::Version;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::core::commit::CommitOrigin;
use crate::core::fleet::Fleet;
use crate::core::hold::Held;
use crate::core::node::{NodeRecord, NodeState};
use crate::core::proof::Mark;
use crate::core::turned_away::TurnedAwayNode;

use super::json::{
    CountsJson, DocumentFaultJson, DocumentsJson, FaultJson, HeldJson, LossJson, NodeJson,
    NodesJson, PushJson, PushNodeJson, RefusedJson, SHAPE, StatusJson, TurnedAwayJson, VersionJson,
};
use super::problem::Problem;
use super::{Api, Shared};

/// What `/metrics` is: Prometheus' text as its newer form is called.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Api {
    pub(super) fn head(&self) -> Version {
        self.parts.views.borrow().version()
    }
}

pub(super) async fn nodes(api: Shared) -> Json<NodesJson> {
    let now = Instant::now();
    let fleet = api.parts.fleet.lock();
    let nodes = fleet.nodes().iter();
    let node = |(node, record): (&NodeName, &NodeRecord)| {
        let state = fleet.state_of(node, record);
        node_json(node.as_str(), record, state, now)
    };
    Json(NodesJson {
        version: SHAPE,
        head: api.head().into(),
        nodes: nodes.map(node).collect(),
        turned_away: turned_away(&fleet, now),
    })
}

fn turned_away(fleet: &Fleet, now: Instant) -> Vec<TurnedAwayJson> {
    let nodes = fleet.strangers().all().iter();
    let node = |(node, stranger): (&NodeName, &TurnedAwayNode)| TurnedAwayJson {
        node: node.to_string(),
        group: stranger.group.to_string(),
        proxy_version: stranger.proxy_version.clone(),
        state: stranger.state.name(),
        reason: stranger.reason.clone(),
        held: stranger.held.map(VersionJson::from),
        since_ms: millis(now.saturating_duration_since(stranger.since)),
        last_seen_ms: millis(now.saturating_duration_since(stranger.last)),
    };
    nodes.map(node).collect()
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn node_json(node: &str, record: &NodeRecord, state: NodeState, now: Instant) -> NodeJson {
    let age = now.saturating_duration_since(record.last_seen);
    let running = record.standing.running;
    let origin = match record.status.origin.as_str() {
        // Before its first status, what a node holds can only be guessed.
        "" if running.is_none() => "none",
        "" => "cache",
        said => said,
    };
    NodeJson {
        node: node.to_owned(),
        group: record.group.to_string(),
        proxy_version: record.proxy_version.clone(),
        connected: record.stream.is_some(),
        state: state.name(),
        running: running.map(VersionJson::from),
        persisted: record.status.persisted.map(VersionJson::from),
        origin: origin.to_owned(),
        last_seen_ms: millis(age),
        refused: record.standing.refused.as_ref().map(|refused| RefusedJson {
            root: refused.root.to_string(),
            faults: refused.faults.iter().map(FaultJson::from).collect(),
        }),
        troubles: record.status.troubles.clone(),
    }
}

pub(super) async fn status(api: Shared) -> Json<StatusJson> {
    let (counts, turned_away) = {
        let fleet = api.parts.fleet.lock();
        let counts = CountsJson {
            connected: fleet.connected(),
            current: fleet.count(NodeState::Current),
            refusing: fleet.count(NodeState::Refusing),
            duplicate: fleet.count(NodeState::Duplicate),
        };
        (counts, turned_away(&fleet, Instant::now()))
    };
    let documents = api.parts.documents.borrow().clone();
    let hash = api.parts.commits.head().map(|head| head.content_hash);
    let faults = |faults: &[_]| faults.iter().map(DocumentFaultJson::from).collect();
    let cluster = api.parts.cluster.iter();
    Json(StatusJson {
        version: SHAPE,
        cluster: cluster.map(|byte| format!("{byte:02x}")).collect(),
        head: api.head().into(),
        documents: DocumentsJson {
            source: documents
                .head_origin
                .as_ref()
                .map_or("none", CommitOrigin::name)
                .to_owned(),
            hash: hash.map(|hash| hash.to_string()).unwrap_or_default(),
            faults: faults(&documents.faults),
            warnings: faults(&documents.warnings),
            writing: documents.writing,
            held: documents
                .held
                .as_ref()
                .map(|held| held_json(held, Instant::now())),
        },
        nodes: counts,
        turned_away,
    })
}

fn held_json(held: &Held, now: Instant) -> HeldJson {
    HeldJson {
        id: held.id.to_string(),
        held_ms: millis(now.saturating_duration_since(held.since)),
        taken_in_ms: held
            .until
            .map(|until| millis(until.saturating_duration_since(now))),
        removes: held.losses.iter().map(LossJson::from).collect(),
        gone: held.gone.clone(),
    }
}

pub(super) async fn push(
    api: Shared,
    Path(revision): Path<u64>,
) -> Result<Json<PushJson>, Problem> {
    let fleet = api.parts.fleet.lock();
    let proof = fleet.proof(revision).ok_or_else(|| {
        let detail = "there is no such revision, or it is older than the last hundred";
        Problem::new(StatusCode::NOT_FOUND, "not followed", detail)
    })?;
    let node = |(node, mark): (&NodeName, &Mark)| {
        let record = fleet.nodes().get(node);
        PushNodeJson {
            node: node.to_string(),
            group: record
                .map(|record| record.group.to_string())
                .unwrap_or_default(),
            state: mark.name(),
            running: record
                .and_then(|record| record.standing.running)
                .map(VersionJson::from),
            faults: match mark {
                Mark::Refused(faults) => faults.iter().map(FaultJson::from).collect(),
                _ => Vec::new(),
            },
        }
    };
    Ok(Json(PushJson {
        version: SHAPE,
        revision,
        outcome: proof.outcome().name(),
        nodes: proof.nodes().iter().map(node).collect(),
        turned_away: turned_away(&fleet, Instant::now()),
    }))
}

pub(super) async fn metrics(api: Shared) -> Response {
    let text = (api.parts.metrics)();
    ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response()
}

pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Control is ready once it serves: what it needs was opened before it listened.
pub(super) async fn readyz() -> &'static str {
    "ok\n"
}
