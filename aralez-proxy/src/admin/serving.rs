//! Connections of the admin endpoint: each with deadlines, and no more of them than the reserve of descriptors has room for.

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

/// The most connections at once, from the reserve of descriptors (`core::admission::descriptors`). One more ends the oldest, so that
/// clients which only hold theirs keep nobody from asking whether the node is ready.
const MOST: usize = 32;

/// How long a request's head may take, and how long a connection may wait for the next one.
const HEAD: Duration = Duration::from_secs(10);

/// How long a connection is used before it ends with its next answer: bodies and answers that stand still end with it.
const LIFE: Duration = Duration::from_secs(60);

/// How long that answer may take.
const LAST: Duration = Duration::from_secs(10);

/// How long is waited where the system has no room for another connection.
const REST: Duration = Duration::from_millis(100);

/// Serves until a successor has taken the listener over, then finishes what is open.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    mut taken_over: watch::Receiver<bool>,
) {
    let mut running = JoinSet::new();
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    // A lack of room is logged when it begins, not ten times a second.
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
                    tracing::warn!(%error, "the admin endpoint cannot accept connections");
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
        // A client that goes away or is too slow is no news.
        _ = connection.as_mut() => return,
        () = sleep(LIFE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST, connection).await;
}
