//! The gRPC service: admits a stream, or answers when to retry.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::wire::control as wire;
use aralez_proto::wire::control::control_plane_server::ControlPlane;
use tonic::{Request, Response, Status, Streaming};

use crate::core::peer::PeerIdentity;
use crate::core::session::GoAway;

use super::hub::Hub;
use super::outgoing::{self, Outgoing};
use super::{message, task};

pub(super) struct SyncService {
    hub: Arc<Hub>,
}

impl SyncService {
    pub(super) const fn new(hub: Arc<Hub>) -> Self {
        Self { hub }
    }
}

#[tonic::async_trait]
impl ControlPlane for SyncService {
    type SyncStream = Outgoing;

    async fn sync(
        &self,
        request: Request<Streaming<wire::NodeMessage>>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let peer = request.extensions().get::<PeerIdentity>().copied();
        let peer = peer.ok_or_else(|| Status::unauthenticated("peer credentials missing"))?;
        let (sender, outgoing) = outgoing::channel();
        match self.hub.admit(Instant::now()) {
            Ok(()) => {
                let guard = Admitted(Arc::clone(&self.hub));
                let stream = request.into_inner();
                tokio::spawn(async move {
                    task::run(&guard.0, peer, stream, sender).await;
                });
            }
            Err((retry_min, retry_max)) => {
                self.hub.parts.observer.stream_refused();
                let farewell = GoAway {
                    reason: "limit of new streams reached".to_owned(),
                    retry_min,
                    retry_max,
                };
                let mut farewell = Some(message::go_away(farewell));
                sender.fill(|| farewell.take());
            }
        }
        Ok(Response::new(outgoing))
    }
}

/// A slot among the admitted streams; released on drop.
struct Admitted(Arc<Hub>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.ended();
    }
}
