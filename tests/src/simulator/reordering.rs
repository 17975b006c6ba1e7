//! A relay that lets nodes hear what control says in another order: now and then a message comes after the one that followed it.

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

/// So often in a hundred times a message is held back.
const OFTEN: u64 = 30;
/// A message that nothing follows is not held longer than this.
const HELD: Duration = Duration::from_millis(100);

type Said = Result<ControlMessage, Status>;

/// The relay. Dropping it ends its streams.
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
    /// Messages that came after the one that followed them.
    swapped: AtomicU64,
    streams: AtomicU64,
}

impl Drop for Reordering {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Reordering {
    /// Listens at `path` and leads to `control`; the order is changed from the beginning on. The seed tells where.
    ///
    /// # Panics
    /// When it cannot listen.
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
            // Its end is that of the test.
            let _ = server.serve_with_incoming(incoming).await;
        });
        Self { rules, serving }
    }

    /// From now on everything comes in its order.
    pub fn keep_order(&self) {
        self.rules.mixes.store(false, Ordering::Relaxed);
    }

    /// How many messages came after the one that followed them.
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

/// Passes on what control says until either side ends.
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
            // Nothing follows what is held.
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
