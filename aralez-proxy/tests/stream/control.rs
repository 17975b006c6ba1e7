//! A scripted control: the test itself receives and sends every message of a stream.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aralez_proto::record::Change;
use aralez_proto::snapshot::Snapshot;
use aralez_proto::wire::control::control_message::Kind;
use aralez_proto::wire::control::control_plane_server::{ControlPlane, ControlPlaneServer};
use aralez_proto::wire::control::node_message::Kind as Said;
use aralez_proto::wire::control::{
    Ack, ControlMessage, Hello, Nack, NodeMessage, Resume, Status, UpdateBegin, UpdateCommit,
    Welcome,
};
use aralez_proto::wire::part::{Items, UpdatePart};
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_stream::wrappers::{ReceiverStream, UnixListenerStream};
use tonic::{Request, Response, Streaming};

/// Time limit of each wait, which only a defect reaches.
const PATIENCE: Duration = Duration::from_secs(20);

/// The gRPC server on a unix socket.
pub(super) struct Control {
    socket: PathBuf,
    sessions: mpsc::Receiver<Session>,
    server: JoinHandle<()>,
}

/// One stream of a proxy.
pub(super) struct Session {
    heard: Streaming<NodeMessage>,
    say: mpsc::Sender<Result<ControlMessage, tonic::Status>>,
}

struct Service(mpsc::Sender<Session>);

#[tonic::async_trait]
impl ControlPlane for Service {
    type SyncStream = ReceiverStream<Result<ControlMessage, tonic::Status>>;

    async fn sync(
        &self,
        request: Request<Streaming<NodeMessage>>,
    ) -> Result<Response<Self::SyncStream>, tonic::Status> {
        let (say, out) = mpsc::channel(64);
        let heard = request.into_inner();
        let _ = self.0.send(Session { heard, say }).await;
        Ok(Response::new(ReceiverStream::new(out)))
    }
}

impl Control {
    pub(super) fn start(socket: &Path) -> Self {
        let _ = std::fs::remove_file(socket);
        let listener = UnixListener::bind(socket).unwrap();
        let (streams, sessions) = mpsc::channel(16);
        let service = ControlPlaneServer::new(Service(streams));
        let serving = tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(UnixListenerStream::new(listener));
        let server = tokio::spawn(async move { serving.await.unwrap() });
        Self {
            socket: socket.to_owned(),
            sessions,
            server,
        }
    }

    /// Waits for the next stream. Returns it with its Hello.
    pub(super) async fn accept(&mut self) -> (Session, Hello) {
        let mut session = timeout(PATIENCE, self.sessions.recv())
            .await
            .unwrap()
            .unwrap();
        match session.next().await {
            Said::Hello(hello) => (session, hello),
            other => panic!("expected Hello, got {other:?}"),
        }
    }

    /// Stops accepting connections. Open streams close when their sessions are dropped.
    pub(super) fn stop(self) {
        self.server.abort();
        let _ = std::fs::remove_file(&self.socket);
    }
}

impl Session {
    async fn next(&mut self) -> Said {
        let message = timeout(PATIENCE, self.heard.message()).await.unwrap();
        message.unwrap().expect("stream closed").kind.unwrap()
    }

    pub(super) async fn say(&self, kind: Kind) {
        let message = ControlMessage { kind: Some(kind) };
        self.say.send(Ok(message)).await.unwrap();
    }

    pub(super) async fn welcome(&self, cluster: u8, head: &Snapshot) {
        self.say(Kind::Welcome(Welcome {
            cluster_id: vec![cluster; 16].into(),
            protocol: 1,
            resume: Resume::Unspecified.into(),
            head: Some(head.version().into()),
            heartbeat_ms: 15_000,
            ack_deadline_ms: 30_000,
        }))
        .await;
    }

    /// Sends the update from one snapshot to the other, in two parts.
    pub(super) async fn update(&self, update_id: u64, from: Option<&Snapshot>, to: &Snapshot) {
        let empty = Snapshot::default();
        let delta = from.unwrap_or(&empty).records().delta_to(to.records());
        self.changes(update_id, from, to, &delta).await;
    }

    pub(super) async fn changes(
        &self,
        update_id: u64,
        from: Option<&Snapshot>,
        to: &Snapshot,
        delta: &[Change],
    ) {
        let root = |snapshot: &Snapshot| snapshot.version().root.as_bytes().to_vec();
        self.say(Kind::Begin(UpdateBegin {
            update_id,
            from_root: from.map(root).unwrap_or_default().into(),
            to: Some(to.version().into()),
            parts: 2,
            bytes: 1 << 20,
        }))
        .await;
        let (first, second) = delta.split_at(delta.len() / 2);
        for part in [first, second] {
            let items = part.iter().map(Into::into).collect();
            self.say(Kind::Part(UpdatePart {
                update_id,
                items: Items::Read(items),
            }))
            .await;
        }
        self.say(Kind::Commit(UpdateCommit { update_id })).await;
    }

    pub(super) async fn ack(&mut self) -> Ack {
        loop {
            match self.next().await {
                Said::Ack(ack) => return ack,
                Said::Status(_) => {}
                other => panic!("expected Ack, got {other:?}"),
            }
        }
    }

    pub(super) async fn nack(&mut self) -> Nack {
        loop {
            match self.next().await {
                Said::Nack(nack) => return nack,
                Said::Status(_) => {}
                other => panic!("expected Nack, got {other:?}"),
            }
        }
    }

    pub(super) async fn status(&mut self, wanted: impl Fn(&Status) -> bool) -> Status {
        loop {
            if let Said::Status(status) = self.next().await
                && wanted(&status)
            {
                return status;
            }
        }
    }

    /// Waits until the proxy closes the stream. No message but Status may precede the close.
    pub(super) async fn ended(mut self) {
        loop {
            let message = timeout(PATIENCE, self.heard.message()).await.unwrap();
            match message {
                Ok(Some(NodeMessage {
                    kind: Some(Said::Status(_)),
                })) => {}
                Ok(Some(other)) => panic!("expected the close of the stream, got {other:?}"),
                Ok(None) | Err(_) => return,
            }
        }
    }
}
