//! The config API over HTTP: the documented `/conf` and `/jwt`, and `/v1` with JSON, ETag and problem+json.
//!
//! It accepts requests, checks keys and bounds, and shows the state of other parts. The implementation of [`Commits`] decides about a push.
//! The fleet is only read, except that an operator may have it forget a node.

mod access;
mod backup;
mod body;
mod conf;
mod deadline;
mod guard;
mod json;
mod jwt;
mod nodes;
mod problem;
mod pushes;
mod read;
mod revisions;
mod serve;
mod set;
mod sources;
mod throttle;
mod write;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use aralez_proto::main_config::{FailureRate, Secret};
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
use crate::core::store::{Backup, ClusterId, Revision, RevisionInfo};
use crate::core::views::Views;

use access::Access;
pub use nodes::nodes_answer;
pub use pushes::push_answer;

#[cfg(test)]
mod tests;

/// The future result of a proposal.
pub type Committing<'a> = Pin<Box<dyn Future<Output = Result<Committed, Rejected>> + Send + 'a>>;

/// The future result of a release of held files. `None` if none were held.
pub type Releasing<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Committed>, Rejected>> + Send + 'a>>;

/// The future copy of all durable state.
pub type BackingUp<'a> = Pin<Box<dyn Future<Output = Result<Backup, Rejected>> + Send + 'a>>;

/// The future read of a revision. `None` if there is no such revision.
pub type ReadingRevision<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Revision>, Rejected>> + Send + 'a>>;

/// Turns proposals into revisions.
pub trait Commits: Send + Sync {
    /// Makes a proposal the head, or returns why it was rejected.
    fn commit(&self, proposal: Proposal) -> Committing<'_>;

    /// Commits the held files; if `shown` is given, only if the current hold has this id.
    fn release(&self, shown: Option<HoldId>) -> Releasing<'_>;

    /// Commits the files as they are on disk now.
    fn take_files(&self, take: TakeFiles) -> Committing<'_>;

    /// Copies all durable state.
    fn backup(&self) -> BackingUp<'_>;

    /// Reads a revision with its documents.
    fn revision(&self, revision: u64) -> ReadingRevision<'_>;

    /// Returns the head. `None` before the first commit.
    fn head(&self) -> Option<RevisionInfo>;
}

/// Dependencies of the API.
pub struct ApiParts {
    /// The committer.
    pub commits: Arc<dyn Commits>,
    /// The views of the head.
    pub views: watch::Receiver<Arc<Views>>,
    /// The state of the documents.
    pub documents: watch::Receiver<Arc<SourceStatus>>,
    /// The health of the sources.
    pub sources: watch::Receiver<SourceStates>,
    /// The fleet: which node runs what.
    pub fleet: SharedFleet,
    /// Commands to the streams of nodes.
    pub commands: Arc<dyn NodeCommands>,
    /// The event counters.
    pub observer: Arc<dyn Observer>,
    /// Renders the text of `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// The identity of the cluster.
    pub cluster: ClusterId,
    /// Whether configuration may be written now (`config_api_enabled`).
    pub enabled: watch::Receiver<bool>,
    /// The number of wrong keys that an address may send now (`auth_failures`).
    pub failures: watch::Receiver<FailureRate>,
    /// The master key. `None` if none is configured: every key is refused then.
    pub key: Option<Secret>,
    /// The key that signs the tokens of `/jwt`. `None` if none is configured: no token is issued then.
    pub token_key: Option<Secret>,
    /// The address on which the API listens.
    pub address: SocketAddr,
    /// Maximum number of concurrent connections.
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

/// Returns the routes of the API.
pub fn router(parts: ApiParts) -> Router {
    let access = Access::new(parts.key.as_ref(), parts.failures.clone());
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
        .route("/jwt", post(jwt::issue))
        .route("/v1/config", post(write::push))
        .route("/v1/sources/release", post(sources::release))
        .route("/v1/sources/take", post(sources::take))
        .route("/v1/nodes/{node}/retry", post(nodes::retry))
        .route("/v1/nodes/{node}/forget", post(nodes::forget))
        .route("/v1/store/backup", get(backup::download))
        .route("/v1/revisions/{revision}", get(revisions::one))
        .merge(reads)
        .route("/livez", get(read::livez))
        .route("/readyz", get(read::readyz))
        .with_state(api)
}

/// Serves the API until `leaving` turns true, then completes the requests in progress.
pub async fn serve(listener: TcpListener, parts: ApiParts, leaving: watch::Receiver<bool>) {
    let (most, observer) = (parts.max_connections, Arc::clone(&parts.observer));
    serve::serve(listener, router(parts), most, observer, leaving).await;
}
