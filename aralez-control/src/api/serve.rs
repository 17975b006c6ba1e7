//! The connections of the API: accepted within a bound, with a deadline on every wait for the client.
//!
//! hyper's own deadline covers a request head and the wait for the next one; [`super::body`] bounds a request body; a client that stops
//! reading is closed by [`WRITE`].

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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

/// A whole request head, and the wait for the next request of a connection.
const HEAD: Duration = Duration::from_secs(10);
/// How long a client may take nothing of a response.
const WRITE: Duration = Duration::from_secs(30);
/// The largest request head: a key in a URL and what a browser adds are far below it.
const MAX_HEAD: usize = 32 << 10;
/// How long requests in progress may take to end when control leaves.
const FAREWELL: Duration = Duration::from_secs(3);
/// The pause after an accept that failed: without descriptors it would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Open connections; each is closed by dropping its sender.
type Open = Arc<Mutex<Clients<oneshot::Sender<()>>>>;

/// Serves requests until `leaving` turns true, then lets those in progress end.
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
    // A lack of room is logged when it begins, not ten times a second.
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
                    warn!(%error, "the config API cannot accept connections");
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
        let entry = locked(&self.open).enter(peer.ip(), close, Instant::now());
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
                // A client that breaks off is no event.
                _ = serving => {}
                _ = closed => {}
            }
        });
    }
}

/// A connection's place among the open ones; given back when dropped.
struct Place {
    open: Open,
    id: ClientId,
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.open).left(self.id);
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
            locked(&place.open).busy(place.id);
            let response = answer(router, request, peer).await;
            locked(&place.open).waits(place.id, Instant::now());
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

fn locked(open: &Open) -> MutexGuard<'_, Clients<oneshot::Sender<()>>> {
    // Every change is made in one call, so even what a panic left behind is whole.
    open.lock().unwrap_or_else(PoisonError::into_inner)
}
