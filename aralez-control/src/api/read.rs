//! The read endpoints: the state of control, its metrics, its health.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::version::Version;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::core::commit::CommitOrigin;
use crate::core::hold::Held;
use crate::core::source::{Health, SourceStates};
use crate::core::store::cluster_text;

use super::json::{
    DocumentFaultJson, DocumentsJson, HeldJson, LossJson, SHAPE, SourceJson, StatusJson,
};
use super::nodes::{millis, turned_away};
use super::{Api, Shared};

/// Content type of `/metrics`: the newer form of the Prometheus text format.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl Api {
    pub(super) fn head(&self) -> Version {
        self.parts.views.borrow().version()
    }
}

pub(super) async fn status(api: Shared) -> Json<StatusJson> {
    let (counts, strangers, troubles) = {
        let fleet = api.parts.fleet.lock();
        let troubles = fleet.roster_trouble().map(str::to_owned);
        let strangers = Arc::clone(fleet.turned_away_nodes().all());
        (fleet.counts(), strangers, Vec::from_iter(troubles))
    };
    let documents = api.parts.documents.borrow().clone();
    let hash = api.parts.commits.head().map(|head| head.content_hash);
    let faults = |faults: &[_]| faults.iter().map(DocumentFaultJson::from).collect();
    Json(StatusJson {
        version: SHAPE,
        cluster: cluster_text(&api.parts.cluster),
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
        sources: sources_json(&api.parts.sources.borrow(), Instant::now()),
        nodes: counts.into(),
        turned_away: turned_away(&strangers, Instant::now()),
        troubles,
    })
}

fn sources_json(states: &SourceStates, now: Instant) -> Vec<SourceJson> {
    let source = |(name, (health, since)): (&&'static str, &(Health, Instant))| SourceJson {
        name,
        health: health.name(),
        reason: health.reason().map(str::to_owned),
        since_ms: millis(now.saturating_duration_since(*since)),
    };
    states.iter().map(source).collect()
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

pub(super) async fn metrics(api: Shared) -> Response {
    let text = (api.parts.metrics)();
    ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response()
}

pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Always ready: control opens everything that it needs before it accepts the first connection.
pub(super) async fn readyz() -> &'static str {
    "ok\n"
}
