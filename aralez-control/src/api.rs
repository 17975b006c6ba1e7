//! The config API over HTTP: the documented `/conf`, and `/v1` with JSON, ETag and problem+json.
//!
//! It takes requests, checks keys and bounds, and shows what others know. What a push comes to is decided by whoever implements
//! [`Commits`]; the fleet is read, never written.

mod access;
mod backup;
mod body;
mod conf;
mod deadline;
#[cfg(test)]
mod figures;
mod guard;
mod json;
mod nodes;
mod problem;
mod pushes;
mod read;
mod serve;
mod set;
mod sources;
mod throttle;
mod write;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use aralez_proto::main_config::Secret;
use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::core::commit::{Committed, Proposal, Rejected, TakeFiles};
use crate::core::fleet::{NodeCommands, SharedFleet};
use crate::core::hold::HoldId;
use crate::core::observer::Observer;
use crate::core::source::SourceStates;
use crate::core::status::SourceStatus;
use crate::core::store::{Backup, ClusterId, RevisionInfo};
use crate::core::views::Views;

use access::Access;

#[cfg(test)]
mod tests;

/// What comes of a proposal, later.
pub type Committing<'a> = Pin<Box<dyn Future<Output = Result<Committed, Rejected>> + Send + 'a>>;

/// What comes of files that are let through, later; `None` where none were held.
pub type Releasing<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Committed>, Rejected>> + Send + 'a>>;

/// A copy of everything that is durable, later.
pub type BackingUp<'a> = Pin<Box<dyn Future<Output = Result<Backup, Rejected>> + Send + 'a>>;

/// Who turns proposals into revisions.
pub trait Commits: Send + Sync {
    /// Makes a proposal the head, or says why not.
    fn commit(&self, proposal: Proposal) -> Committing<'_>;

    /// Commits the files that are held; where `shown` is given, only the hold of this id.
    fn release(&self, shown: Option<HoldId>) -> Releasing<'_>;

    /// Commits the files as they are on disk now.
    fn take_files(&self, take: TakeFiles) -> Committing<'_>;

    /// Copies everything that is durable.
    fn backup(&self) -> BackingUp<'_>;

    /// The head; `None` before the first commit.
    fn head(&self) -> Option<RevisionInfo>;
}

/// What the API works with.
pub struct ApiParts {
    /// Who commits.
    pub commits: Arc<dyn Commits>,
    /// The views of the head.
    pub views: watch::Receiver<Arc<Views>>,
    /// The state of the documents.
    pub documents: watch::Receiver<Arc<SourceStatus>>,
    /// How the sources are doing.
    pub sources: watch::Receiver<SourceStates>,
    /// Which node runs what.
    pub fleet: SharedFleet,
    /// What can be asked of a node's stream.
    pub commands: Arc<dyn NodeCommands>,
    /// Who counts.
    pub observer: Arc<dyn Observer>,
    /// The text of `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The cluster.
    pub cluster: ClusterId,
    /// Whether configuration may be written (`config_api_enabled`), now.
    pub enabled: watch::Receiver<bool>,
    /// The master key; `None`: nobody has it.
    pub key: Option<Secret>,
    /// Where the API listens.
    pub address: SocketAddr,
    /// How many connections there may be at once.
    pub max_connections: usize,
}

impl std::fmt::Debug for ApiParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ApiParts")
            .field("enabled", &*self.enabled.borrow())
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

struct Api {
    parts: ApiParts,
    access: Access,
}

impl Api {
    fn is_enabled(&self) -> bool {
        *self.parts.enabled.borrow()
    }
}

type Shared = axum::extract::State<Arc<Api>>;
type Peer = axum::extract::ConnectInfo<SocketAddr>;

/// The routes of the API.
pub fn router(parts: ApiParts) -> Router {
    let access = Access::new(parts.key.as_ref());
    let api = Arc::new(Api { parts, access });
    let reads = Router::new()
        .route("/v1/nodes", get(nodes::list))
        .route("/v1/status", get(read::status))
        .route("/v1/pushes/{revision}", get(pushes::one))
        .route("/metrics", get(read::metrics))
        .route_layer(axum::middleware::from_fn_with_state(
            Arc::clone(&api),
            guard::reading,
        ));
    Router::new()
        .route("/conf", post(conf::push))
        .route("/v1/config", post(write::push))
        .route("/v1/sources/release", post(sources::release))
        .route("/v1/sources/take", post(sources::take))
        .route("/v1/nodes/{node}/retry", post(nodes::retry))
        .route("/v1/nodes/{node}/forget", post(nodes::forget))
        .route("/v1/store/backup", get(backup::download))
        .merge(reads)
        .route("/livez", get(read::livez))
        .route("/readyz", get(read::readyz))
        .with_state(api)
}

/// Serves the API until `leaving` turns true, then lets requests in progress end.
pub async fn serve(listener: TcpListener, parts: ApiParts, leaving: watch::Receiver<bool>) {
    let (most, observer) = (parts.max_connections, Arc::clone(&parts.observer));
    serve::serve(listener, router(parts), most, observer, leaving).await;
}
