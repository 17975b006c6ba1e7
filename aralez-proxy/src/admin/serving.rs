//! Connections of the admin endpoint. All have deadlines, and their number stays within the reserve of file descriptors.

use std::collections::VecDeque;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// Maximum number of connections, taken from the reserve of descriptors (`core::admission::descriptors`). Beyond it the oldest connection
/// is aborted, so that clients that only hold connections open cannot block readiness checks.
const MOST: usize = 32;

/// Time limit for a request head, and for an idle connection to send the next one.
const HEAD: Duration = Duration::from_secs(10);

/// Age at which a connection closes after its next response. Also bounds stalled bodies and responses.
const LIFE: Duration = Duration::from_secs(60);

/// Time limit for that last response.
const LAST: Duration = Duration::from_secs(10);

/// Pause after a failed accept.
const REST: Duration = Duration::from_millis(100);

/// Serves until a successor has taken over the listener, then finishes the open connections.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    mut taken_over: watch::Receiver<bool>,
) {
    let mut running = JoinSet::new();
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    // Accept failures are logged when they begin, not on each of the ten retries per second.
    let mut logged = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Ok(_) = taken_over.wait_for(|taken| *taken) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                if !std::mem::replace(&mut logged, true) {
                    tracing::warn!(%error, "admin endpoint: accept failed");
                }
                sleep(REST).await;
                continue;
            }
        };
        logged = false;
        while running.try_join_next().is_some() {}
        oldest.retain(|connection| !connection.is_finished());
        while oldest.len() >= MOST {
            if let Some(connection) = oldest.pop_front() {
                connection.abort();
            }
        }
        oldest.push_back(running.spawn(connection(stream, router.clone())));
    }
    drop(listener);
    while running.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, router: Router) {
    let service = TowerToHyperService::new(router);
    let mut connection = http1::Builder::new();
    connection
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD);
    let connection = connection.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        // Disconnects and timeouts of clients are not logged.
        _ = connection.as_mut() => return,
        () = sleep(LIFE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST, connection).await;
}
