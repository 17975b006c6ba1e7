//! The admin endpoint: is it alive, is it ready, what runs, what was counted.

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;

use crate::core::traffic::Traffic;

/// What the admin endpoint shows.
#[derive(Debug)]
pub struct Shown {
    /// Counts and readiness.
    pub traffic: Arc<Traffic>,
    /// The metrics.
    pub registry: Registry,
}

/// Serves the admin endpoint on a thread and a runtime of its own until the process ends, so that it answers when the engine is busy.
///
/// # Errors
/// Where the system gives no thread or does not accept the listener.
pub fn spawn(listener: TcpListener, shown: Shown) -> std::io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let router = router(Arc::new(shown));
    let serve = move || {
        runtime.block_on(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    if let Err(error) = axum::serve(listener, router).await {
                        tracing::error!(%error, "the admin endpoint stopped");
                    }
                }
                Err(error) => tracing::error!(%error, "the admin endpoint did not start"),
            }
        });
    };
    std::thread::Builder::new()
        .name("admin".to_owned())
        .spawn(serve)?;
    Ok(())
}

fn router(shown: Arc<Shown>) -> Router {
    let metrics = Arc::clone(&shown);
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route(
            "/metrics",
            get(move || async move { render(&metrics.registry) }),
        )
}

fn render(registry: &Registry) -> Response {
    const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, TEXT)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
