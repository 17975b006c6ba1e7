//! A relay that reorders messages from control to the nodes: some messages arrive after the one that followed them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use aralez_proto::wire::control::control_plane_client::ControlPlaneClient;
use aralez_proto::wire::control::control_plane_server::{ControlPlane, ControlPlaneServer};
use aralez_proto::wire::control::{ControlMessage, NodeMessage};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use crate::model::random::Random;
use crate::scripted_node::channel;

/// Probability of holding a message back, in percent.
const OFTEN: u64 = 30;
/// Maximum time that a message is held if none follows.
const HELD: Duration = Duration::from_millis(100);

type Said = Result<ControlMessage, Status>;

/// The relay. Dropping it closes its streams.
#[derive(Debug)]
pub struct Reordering {
    rules: Arc<Rules>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Rules {
    control: PathBuf,
    seed: u64,
    mixes: AtomicBool,
    /// Messages that were delivered after their successor.
    swapped: AtomicU64,
    streams: AtomicU64,
}

impl Drop for Reordering {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Reordering {
    /// Listens at `path` and relays to `control`. Reordering is enabled from the start; `seed` determines which messages it affects.
    ///
    /// # Panics
    /// Panics if it cannot listen.
    pub fn start(path: &Path, control: &Path, seed: u64) -> Self {
        let rules = Arc::new(Rules {
            control: control.to_owned(),
            seed,
            mixes: AtomicBool::new(true),
            swapped: AtomicU64::new(0),
            streams: AtomicU64::new(0),
        });
        let listener = UnixListener::bind(path).expect("the path is free");
        let service = ControlPlaneServer::new(Relay(Arc::clone(&rules)));
        let incoming = UnixListenerStream::new(listener);
        let serving = tokio::spawn(async move {
            let server = Server::builder().add_service(service);
            // The server runs until the test is over.
            let _ = server.serve_with_incoming(incoming).await;
        });
        Self { rules, serving }
    }

    /// Disables reordering from now on.
    pub fn keep_order(&self) {
        self.rules.mixes.store(false, Ordering::Relaxed);
    }

    /// Returns the number of messages delivered after their successor.
    pub fn swapped(&self) -> u64 {
        self.rules.swapped.load(Ordering::Relaxed)
    }
}

struct Relay(Arc<Rules>);

#[tonic::async_trait]
impl ControlPlane for Relay {
    type SyncStream = ReceiverStream<Said>;

    async fn sync(
        &self,
        request: Request<Streaming<NodeMessage>>,
    ) -> Result<Response<Self::SyncStream>, Status> {
        let channel = channel(self.0.control.clone()).await;
        let channel = channel.map_err(Status::unavailable)?;
        let reports = request.into_inner().map_while(Result::ok);
        let said = ControlPlaneClient::new(channel).sync(reports).await?;
        let (out, passed) = mpsc::channel(1);
        let stream = self.0.streams.fetch_add(1, Ordering::Relaxed);
        let random = Random::new(self.0.seed ^ stream);
        tokio::spawn(pass(said.into_inner(), out, Arc::clone(&self.0), random));
        Ok(Response::new(ReceiverStream::new(passed)))
    }
}

/// Relays control's messages until either side closes.
async fn pass(
    mut said: Streaming<ControlMessage>,
    out: mpsc::Sender<Said>,
    rules: Arc<Rules>,
    mut random: Random,
) {
    let mut held: Option<ControlMessage> = None;
    loop {
        let wait = if held.is_some() { HELD } else { Duration::MAX };
        let heard = tokio::select! {
            heard = tokio::time::timeout(wait, said.message()) => heard,
            () = out.closed() => return,
        };
        let next = match heard {
            Ok(Ok(Some(message))) => Some(message),
            // No message followed the held one in time.
            Err(_) => None,
            Ok(Ok(None)) => return,
            Ok(Err(status)) => {
                let _ = out.send(Err(status)).await;
                return;
            }
        };
        let mixes = held.is_none() && rules.mixes.load(Ordering::Relaxed);
        if next.is_some() && mixes && random.chance(OFTEN) {
            held = next;
            continue;
        }
        let swapped = next.is_some() && held.is_some();
        rules
            .swapped
            .fetch_add(u64::from(swapped), Ordering::Relaxed);
        for message in next.into_iter().chain(held.take()) {
            if out.send(Ok(message)).await.is_err() {
                return;
            }
        }
    }
}
