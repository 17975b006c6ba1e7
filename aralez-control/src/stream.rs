//! The stream service: one session per proxy over a unix socket.
//!
//! It moves messages between sessions and the wire. `core::session` decides what is sent and when; `core::fleet` tracks which node runs
//! what. One task per stream, no queue of updates, and no lock is held while sending.

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

/// Maximum size of a message from a proxy: a refusal with very many faults.
const MAX_INBOUND: usize = 4 << 20;
/// Maximum size of a sent message: a part, which exceeds 16 KiB only if it contains one huge record.
const MAX_OUTBOUND: usize = 64 << 20;
/// Small flow-control windows, so that a slow node holds little memory here.
const WINDOW: u32 = 128 << 10;
/// HTTP/2 keep-alive interval towards a silent proxy, and the timeout of its answer; proxies use the same values. A proxy sends a heartbeat
/// every 15 s, so that pings are sent only to peers that are gone, and a proxy that is busy for some seconds keeps its stream.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Time that streams have for a graceful shutdown.
const FAREWELL: Duration = Duration::from_secs(3);

/// Serves at most `most` connections on the socket until `leaving` turns true, then shuts every session down gracefully.
///
/// # Errors
/// If the socket fails.
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
