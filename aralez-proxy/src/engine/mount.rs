//! The engine as an application of Pingora's server: connections that Pingora's listeners take, after TLS where there is TLS.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::{ALPN, Stream};
use pingora::server::ShutdownWatch;

use super::closing::Closing;
use super::connection::{self, Client};
use super::io::PingoraStream;
use super::worker::Worker;
use crate::core::admission::ListenerCount;
use crate::core::traffic::Event;

/// The engine behind one of Pingora's listeners.
#[derive(Debug)]
pub struct Mount {
    /// What the connections share.
    pub worker: Arc<Worker>,
    /// The connections of this listener.
    pub count: Arc<ListenerCount>,
}

#[async_trait]
impl ServerApp for Mount {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let address = client_of(&stream);
        let engine = &self.worker.engine;
        let admitted =
            match engine
                .admission
                .enter(&self.count, address, std::time::Instant::now(), || 0)
            {
                Ok(admitted) => admitted,
                Err(limit) => {
                    self.worker.tally.connections.turn_away(limit);
                    return None;
                }
            };
        self.worker.tally.event(Event::Accepted);
        if stream.selected_alpn_proto() == Some(ALPN::H2) {
            // The place of HTTP/2. No listener offers it, so nobody can have agreed to it.
            return None;
        }
        let closing = Closing::new(shutdown.clone());
        let worker = Arc::clone(&self.worker);
        connection::serve(
            PingoraStream::new(stream),
            Client {
                address,
                admitted: Some(admitted),
            },
            worker,
            closing,
        )
        .await;
        None
    }
}

fn client_of(stream: &Stream) -> IpAddr {
    let digest = stream.get_socket_digest();
    match digest.as_ref().and_then(|digest| digest.peer_addr()) {
        Some(SocketAddr::Inet(address)) => address.ip().to_canonical(),
        // A client without an address came over a socket of this machine.
        _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
    }
}
