//! The nodes: listing them, allowing refused content to be sent to one again, and forgetting one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::model::NodeName;
use aralez_proto::version::Version;
use axum::Json;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::core::fleet::{Listing, NotForgotten};
use crate::core::node::{NodeRecord, NodeState};
use crate::core::turned_away::TurnedAwayNode;

use super::json::{NodeJson, NodesJson, PeerJson, RefusedJson, SHAPE, TurnedAwayJson, VersionJson};
use super::problem::Problem;
use super::write::allow;
use super::{Peer, Shared};

pub(super) async fn list(api: Shared) -> Result<Response, Problem> {
    // Streams wait for the fleet lock, so the response is built after its release.
    let listing = api.parts.fleet.lock().listing();
    let head = api.head();
    written(move || nodes_answer(&listing, head, Instant::now())).await
}

/// Builds and serializes a response with one entry per node, on a blocking thread instead of the threads that serve streams.
pub(super) async fn written<T: Serialize>(
    make: impl FnOnce() -> T + Send + 'static,
) -> Result<Response, Problem> {
    let written = tokio::task::spawn_blocking(|| Json(make()).into_response());
    written.await.map_err(|_| {
        let detail = "cannot build the response; see the log of control";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error", detail)
    })
}

/// Returns the body of `GET /v1/nodes`. Costs one entry per node.
pub fn nodes_answer(listing: &Listing, head: Version, now: Instant) -> impl Serialize + use<> {
    let node = |(node, record): &(NodeName, Arc<NodeRecord>)| {
        let state = listing.state_of(node, record);
        node_json(node.as_str(), record, state, now)
    };
    NodesJson {
        version: SHAPE,
        head: head.into(),
        nodes: listing.nodes.iter().map(node).collect(),
        turned_away: turned_away(&listing.strangers, now),
    }
}

pub(super) fn turned_away(
    strangers: &BTreeMap<NodeName, TurnedAwayNode>,
    now: Instant,
) -> Vec<TurnedAwayJson> {
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
    strangers.iter().map(node).collect()
}

pub(super) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn node_json(node: &str, record: &NodeRecord, state: NodeState, now: Instant) -> NodeJson {
    let age = now.saturating_duration_since(record.last_seen);
    let running = record.session.running;
    let origin = match record.status.origin.as_str() {
        // Before the first status of a node its origin can only be guessed.
        "" if running.is_none() => "none",
        "" => "cache",
        said => said,
    };
    NodeJson {
        node: node.to_owned(),
        group: record.group.to_string(),
        proxy_version: record.proxy_version.clone(),
        peer: record.peer.map(PeerJson::from),
        connected: record.stream.is_some(),
        state: state.name(),
        running: running.map(VersionJson::from),
        persisted: record.status.persisted.map(VersionJson::from),
        origin: origin.to_owned(),
        last_seen_ms: millis(age),
        refused: record.session.refused.as_ref().map(RefusedJson::from),
        troubles: record.status.troubles.clone(),
    }
}

pub(super) async fn retry(
    api: Shared,
    peer: Peer,
    Path(node): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, _) = request.into_parts();
    allow(&api, &peer, &parts)?;
    let known = node
        .parse::<NodeName>()
        .is_ok_and(|node| api.parts.commands.retry(&node));
    if known {
        return Ok(StatusCode::ACCEPTED);
    }
    let detail = "no node of this name is known";
    Err(Problem::new(StatusCode::NOT_FOUND, "no such node", detail))
}

/// Removes from the list a node that will not reconnect.
pub(super) async fn forget(
    api: Shared,
    peer: Peer,
    Path(node): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (parts, _) = request.into_parts();
    allow(&api, &peer, &parts)?;
    let forgotten = match node.parse::<NodeName>() {
        Ok(node) => api.parts.fleet.lock().forget(&node),
        Err(_) => Err(NotForgotten::Unknown),
    };
    match forgotten {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(NotForgotten::Connected) => {
            let detail = "stop the proxy first, or the node is listed again immediately";
            Err(Problem::new(
                StatusCode::CONFLICT,
                "the node is connected",
                detail,
            ))
        }
        Err(NotForgotten::Unknown) => {
            let detail = "no node of this name is known";
            Err(Problem::new(StatusCode::NOT_FOUND, "no such node", detail))
        }
    }
}
