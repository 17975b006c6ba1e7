//! The stream service: one session per proxy over a unix socket.
//!
//! It moves messages between sessions and the wire. What is sent and when is decided in `core::session`; which node runs what stands in
//! `core::fleet`. One task per stream, no queue of updates, and no lock is held while sending.

mod admission;
mod ahead;
mod command;
mod counted;
mod derivations;
mod greeting;
mod hub;
pub mod message;
pub mod outbox;
mod outgoing;
mod service;
mod socket;
mod task;
mod tries;

use std::sync::Arc;
use std::time::Duration;

use aralez_proto::wire::control::control_plane_server::ControlPlaneServer;
use tokio::sync::watch;
use tonic::transport::Server;

pub use hub::{History, Hub, HubParts, Recalling, Rising};
pub use socket::{ControlSocket, SocketError};

use service::SyncService;

/// The largest message that a proxy may send: a refusal with very many faults.
const MAX_INBOUND: usize = 4 << 20;
/// The largest message that is sent: a part, which only one huge record makes larger than 16 KiB.
const MAX_OUTBOUND: usize = 64 << 20;
/// Windows are small, so that a slow node holds little memory here.
const WINDOW: u32 = 128 << 10;
/// HTTP/2 pings to a proxy that says nothing, and how long an answer may take, as proxies have it. A proxy speaks every 15 s, so that
/// pings meet only peers that are gone, and one that is busy for some seconds keeps its stream.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// How long streams may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(3);

/// Serves at most `most` connections on the socket until `leaving` turns true, then lets every session say goodbye.
///
/// # Errors
/// Where the socket fails.
pub async fn serve(
    socket: ControlSocket,
    most: usize,
    hub: Arc<Hub>,
    mut leaving: watch::Receiver<bool>,
) -> Result<(), tonic::transport::Error> {
    let service = ControlPlaneServer::new(SyncService::new(hub))
        .max_decoding_message_size(MAX_INBOUND)
        .max_encoding_message_size(MAX_OUTBOUND);
    let mut ended = leaving.clone();
    let signal = async move {
        let _ = leaving.wait_for(|leaving| *leaving).await;
    };
    let (incoming, _guard) = socket.into_incoming(most);
    let serving = Server::builder()
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_concurrent_streams(4)
        .http2_keepalive_interval(Some(PING.0))
        .http2_keepalive_timeout(Some(PING.1))
        .add_service(service)
        .serve_with_incoming_shutdown(incoming, signal);
    let too_long = async move {
        let _ = ended.wait_for(|leaving| *leaving).await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        served = serving => served,
        () = too_long => Ok(()),
    }
}
