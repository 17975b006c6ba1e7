//! The gRPC face: takes a stream, or says when to come back.

use std::sync::Arc;
use std::time::Instant;

use aralez_proto::wire::control as wire;
use aralez_proto::wire::control::control_plane_server::ControlPlane;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::core::session::GoAway;

use super::hub::Hub;
use super::{message, task};

/// Messages between a stream's task and the connection: one, since a part is large.
const BUFFERED: usize = 1;

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
    type SyncStream = ReceiverStream<Result<wire::ControlMessage, Status>>;

    async fn sync(
        &self,
        request: Request<Streaming<wire::NodeMessage>>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let (sender, receiver) = mpsc::channel(BUFFERED);
        match self.hub.admit(Instant::now()) {
            Ok(()) => {
                let guard = Admitted(Arc::clone(&self.hub));
                let stream = request.into_inner();
                tokio::spawn(async move {
                    task::run(&guard.0, stream, sender).await;
                });
            }
            Err((retry_min, retry_max)) => {
                self.hub.parts.observer.stream_refused();
                let farewell = GoAway {
                    reason: "control takes streams at a bounded rate".to_owned(),
                    retry_min,
                    retry_max,
                };
                let _ = sender.try_send(Ok(message::go_away(farewell)));
            }
        }
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// A place among the streams; given back when dropped.
struct Admitted(Arc<Hub>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.ended();
    }
}
