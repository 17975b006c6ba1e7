//! The connections of the API: a bounded number, with a timeout on every wait for the client.
//!
//! hyper's header timeout covers a request head and the wait for the next one; [`super::body`] bounds a request body; [`WRITE`] closes the
//! connection of a client that stops reading.

use parking_lot::Mutex;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tower::ServiceExt;
use tracing::warn;

use crate::core::clients::{ClientAdmission, ClientId, Clients};
use crate::core::observer::{ApiPressure, Observer};

use super::deadline::WriteDeadline;

/// Timeout of a whole request head, and of the wait for the next request of a connection.
const HEAD: Duration = Duration::from_secs(10);
/// Timeout of a write that makes no progress because the client does not read.
const WRITE: Duration = Duration::from_secs(30);
/// Maximum size of a request head, far above a key in a URL and the headers of a browser.
const MAX_HEAD: usize = 32 << 10;
/// Time for requests in progress to complete when control shuts down.
const FAREWELL: Duration = Duration::from_secs(3);
/// Pause after a failed accept: without file descriptors the next one would fail immediately.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Open connections; dropping a sender closes its connection.
type Open = Arc<Mutex<Clients<oneshot::Sender<()>>>>;

/// Serves requests until `leaving` turns true, then completes those in progress.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    max_connections: usize,
    observer: Arc<dyn Observer>,
    mut leaving: watch::Receiver<bool>,
) {
    let shutdown = GracefulShutdown::new();
    let door = Door {
        open: Arc::new(Mutex::new(Clients::new(max_connections))),
        router,
        observer,
    };
    // An accept failure is logged when it begins, not ten times per second.
    let mut logged = false;
    loop {
        let accepted = tokio::select! {
            biased;
            _ = leaving.wait_for(|leaving| *leaving) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                logged = false;
                door.admit(stream, peer, shutdown.watcher());
            }
            Err(error) => {
                if !std::mem::replace(&mut logged, true) {
                    warn!(%error, "config API: accept failed");
                }
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(FAREWELL, shutdown.shutdown()).await;
}

struct Door {
    open: Open,
    router: Router,
    observer: Arc<dyn Observer>,
}

impl Door {
    fn admit(&self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        let (close, closed) = oneshot::channel();
        let entry = self.open.lock().enter(peer.ip(), close, Instant::now());
        let id = match entry {
            ClientAdmission::Admitted(id) => id,
            ClientAdmission::InPlaceOf(id, evicted) => {
                self.observer.api_pressure(ApiPressure::GaveWay);
                drop(evicted);
                id
            }
            ClientAdmission::Full => return self.observer.api_pressure(ApiPressure::TurnedAway),
        };
        let place = Place {
            open: Arc::clone(&self.open),
            id,
        };
        let router = self.router.clone();
        tokio::spawn(async move {
            let serving = connection(stream, peer, router, &place, watcher);
            tokio::select! {
                // A disconnect of the client is not an error.
                _ = serving => {}
                _ = closed => {}
            }
        });
    }
}

/// A connection's slot among the open ones, released on drop.
struct Place {
    open: Open,
    id: ClientId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.lock().left(self.id);
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    place: &Place,
    watcher: Watcher,
) -> hyper::Result<()> {
    let service = service_fn(|request: Request<Incoming>| {
        let router = router.clone();
        async move {
            place.open.lock().busy(place.id);
            let response = answer(router, request, peer).await;
            place.open.lock().waits(place.id, Instant::now());
            Ok::<_, io::Error>(response)
        }
    });
    let stream = TokioIo::new(WriteDeadline::new(stream, WRITE));
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MAX_HEAD)
        .serve_connection(stream, service);
    watcher.watch(serving).await
}

async fn answer(router: Router, request: Request<Incoming>, peer: SocketAddr) -> Response<Body> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(peer));
    match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}
