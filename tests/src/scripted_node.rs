//! A proxy's side of the stream, by hand: it joins, receives, and sends what the test wants.
//!
//! Cheap enough for hundreds in one test. It verifies nothing: the duties of a proxy are tested with real proxies.

use std::path::PathBuf;
use std::time::Duration;

use aralez_proto::wire::control as wire;
use aralez_proto::wire::control::control_plane_client::ControlPlaneClient;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};
use wire::control_message::Kind as FromControl;
use wire::node_message::Kind as ToControl;

use crate::ports::random;

const PATIENCE: Duration = Duration::from_secs(20);

/// A connected node. Dropping it closes its stream.
#[derive(Debug)]
pub struct ScriptedNode {
    reports: mpsc::Sender<wire::NodeMessage>,
    messages: Streaming<wire::ControlMessage>,
}

/// Creates the `Hello` of a node that holds no snapshot and knows every feature.
pub fn hello(node: &str) -> wire::Hello {
    wire::Hello {
        protocol_min: 1,
        protocol_max: 1,
        node: node.to_owned(),
        group: "default".to_owned(),
        proxy_version: "scripted".to_owned(),
        features: (0..64).collect(),
        limits: Some(wire::Limits::default()),
        boot_id: [random().to_le_bytes(), random().to_le_bytes()]
            .concat()
            .into(),
        ..wire::Hello::default()
    }
}

impl ScriptedNode {
    /// Opens a stream on control's socket and sends `hello`; the reply is not read yet.
    ///
    /// # Errors
    /// If the stream cannot be opened.
    pub async fn greet(socket: PathBuf, hello: wire::Hello) -> Result<Self, String> {
        let channel = channel(socket).await?;
        let (reports, outgoing) = mpsc::channel(8);
        let first = reports.send(message(ToControl::Hello(hello)));
        first.await.map_err(|error| error.to_string())?;
        let mut client = ControlPlaneClient::new(channel);
        let sync = client.sync(ReceiverStream::new(outgoing)).await;
        let messages = sync.map_err(|status| status.to_string())?.into_inner();
        Ok(Self { reports, messages })
    }

    /// Returns the next message from control.
    ///
    /// # Errors
    /// If the stream is closed, or no message arrives within 20 s.
    pub async fn next(&mut self) -> Result<FromControl, String> {
        let next = tokio::time::timeout(PATIENCE, self.messages.message()).await;
        let message = next.map_err(|_| "nothing comes".to_owned())?;
        let message = message.map_err(|status| status.to_string())?;
        let message = message.ok_or("the stream ended")?;
        message.kind.ok_or_else(|| "an empty message".to_owned())
    }

    /// Sends a message.
    ///
    /// # Errors
    /// If the stream is closed.
    pub async fn say(&self, kind: ToControl) -> Result<(), String> {
        let sent = self.reports.send(message(kind)).await;
        sent.map_err(|_| "the stream ended".to_owned())
    }

    /// Receives messages until one update is complete, acknowledges it without checking it, and returns its version.
    ///
    /// # Errors
    /// If the stream is closed or control sends GoAway first, or if the update is malformed.
    pub async fn follow(&mut self) -> Result<wire::Version, String> {
        let mut coming = None;
        loop {
            match self.next().await? {
                FromControl::Begin(begin) => coming = Some((begin.update_id, begin.to)),
                FromControl::Commit(commit) => {
                    let (update_id, version) =
                        coming.take().ok_or("a commit without a beginning")?;
                    if update_id != commit.update_id {
                        return Err("a commit of another update".to_owned());
                    }
                    let ack = wire::Ack {
                        update_id,
                        version: version.clone(),
                        apply_us: 1,
                    };
                    self.say(ToControl::Ack(ack)).await?;
                    return version.ok_or_else(|| "an update to nothing".to_owned());
                }
                FromControl::GoAway(away) => return Err(format!("told to go: {away:?}")),
                _ => {}
            }
        }
    }
}

/// Calls a method by its path with an empty message, as a client exploring the service would, and returns control's status code.
///
/// # Errors
/// If there is no connection.
pub async fn call(socket: PathBuf, path: &'static str) -> Result<tonic::Code, String> {
    let mut client = tonic::client::Grpc::new(channel(socket).await?);
    let ready = client.ready().await;
    ready.map_err(|error| error.to_string())?;
    let codec = tonic_prost::ProstCodec::<wire::Ack, wire::Ack>::default();
    let request = tonic::Request::new(wire::Ack::default());
    let path = http::uri::PathAndQuery::from_static(path);
    let answer = client.unary(request, path, codec).await;
    Ok(answer.map_or_else(|status| status.code(), |_| tonic::Code::Ok))
}

fn message(kind: ToControl) -> wire::NodeMessage {
    wire::NodeMessage { kind: Some(kind) }
}

/// Connects to control's socket without sending a request.
///
/// # Errors
/// If there is no connection.
pub async fn channel(socket: PathBuf) -> Result<Channel, String> {
    let connector = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    let endpoint = Endpoint::from_static("http://control");
    let channel = endpoint.connect_with_connector(connector).await;
    channel.map_err(|error| error.to_string())
}
