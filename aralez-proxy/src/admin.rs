//! The admin endpoint: liveness, readiness, running version, metrics.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Instant;

use aralez_proto::model::NodeName;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus_client::registry::Registry;
use serde::Serialize;
use tokio::sync::watch;

use crate::core::live::Live;
use crate::core::readiness;
use crate::core::traffic::Traffic;

mod serving;
#[cfg(test)]
mod tests;

const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The state that the admin endpoint exposes.
#[derive(Debug)]
pub struct Shown {
    /// The name of this node.
    pub node: NodeName,
    /// The table that serves.
    pub live: Arc<Live>,
    /// Traffic counters and the drain state.
    pub traffic: Arc<Traffic>,
    /// The metrics.
    pub registry: Registry,
}

#[derive(Serialize)]
struct Ready {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct VersionJson<'a> {
    node: &'a str,
    generation: u64,
    revision: u64,
    operational: u64,
    sequence: u64,
    root: String,
    authored_root: String,
    origin: &'static str,
    age_s: u64,
}

/// Serves the admin endpoint on its own thread and runtime until the process exits, so that it responds while the engine is busy. Stops
/// accepting once `taken_over` is true: the successor accepts from then on.
///
/// # Errors
/// If the thread cannot be spawned or the listener cannot be registered with the runtime.
pub fn spawn(
    listener: TcpListener,
    shown: Shown,
    taken_over: watch::Receiver<bool>,
) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        serving::serve(listener, router(shown), taken_over).await;
        Ok::<(), std::io::Error>(())
    };
    let run = move || {
        if let Err(error) = runtime.block_on(serve) {
            tracing::error!(%error, "admin endpoint failed");
        }
    };
    std::thread::Builder::new()
        .name("admin".to_owned())
        .spawn(run)?;
    Ok(())
}

fn router(shown: Shown) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route("/version", get(version))
        .route("/metrics", get(metrics))
        .with_state(Arc::new(shown))
}

async fn readyz(State(shown): State<Arc<Shown>>) -> (StatusCode, Json<Ready>) {
    let draining = shown.traffic.is_draining();
    let (status, reason) = match readiness::check(&shown.live, draining, Instant::now()) {
        Ok(()) => (StatusCode::OK, None),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, Some(reason.to_string())),
    };
    let ready = reason.is_none();
    (status, Json(Ready { ready, reason }))
}

async fn version(State(shown): State<Arc<Shown>>) -> Response {
    let live = shown.live.load();
    let version = live.snapshot.version();
    let shown = VersionJson {
        node: shown.node.as_str(),
        generation: version.generation,
        revision: version.revision,
        operational: version.operational,
        sequence: version.sequence,
        root: version.root.to_string(),
        authored_root: version.authored_root.to_string(),
        origin: live.origin.name(),
        age_s: live.since.elapsed().as_secs(),
    };
    Json(shown).into_response()
}

async fn metrics(State(shown): State<Arc<Shown>>) -> Response {
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &shown.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
