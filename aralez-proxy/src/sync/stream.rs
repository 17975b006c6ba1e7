//! One connection to a control server, and the stream on it.

use std::io::{self, ErrorKind};
use std::time::Duration;

use aralez_proto::main_config::ControlAddress;
use aralez_proto::wire::control::control_plane_client::ControlPlaneClient;
use aralez_proto::wire::control::{ControlMessage, NodeMessage};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::{Channel, Endpoint, Error};
use tonic::{Request, Status, Streaming};

/// Connect timeout.
const CONNECT: Duration = Duration::from_secs(5);
/// Interval of HTTP/2 pings, and the timeout of their answers.
const PING: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Maximum size of a message. Parts have at most 512 KiB of payload, but one large record is a part by itself; documents have at most 64
/// MiB.
const MOST_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// Number of received messages that may be queued. HTTP/2 flow control holds back the rest.
const WAITING: usize = 4;
/// Number of reports that may be queued. At most one update is in flight, so a full queue means that control does not read.
const REPORTS: usize = 16;
/// Time for the last messages to arrive after the stream was dropped.
const PARTING: Duration = Duration::from_secs(1);

/// Reason why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// Control did not accept the connection.
    #[error("control cannot be reached: {0}")]
    Unreached(io::Error),
    /// Control accepted the connection, and it broke.
    #[error("connection to control failed after it was accepted: {}", reason(.0))]
    Broken(Error),
}

/// Returns the cause of a transport error. The error's own text only names the transport.
fn reason(error: &Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

/// Connects to a server.
pub(super) async fn connect(address: ControlAddress) -> Result<Channel, ConnectError> {
    let socket = reach(&address, CONNECT).await;
    let mut socket = Some(TokioIo::new(socket.map_err(ConnectError::Unreached)?));
    let connector = tower::service_fn(move |_| {
        // The channel must not reconnect: after the loss of a stream the subscription decides when to dial again.
        let socket = socket.take().ok_or(ErrorKind::NotConnected);
        async move { socket.map_err(io::Error::from) }
    });
    // This name is never resolved: the connector supplies the socket.
    Endpoint::from_static("http://control")
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(PING.0)
        .keep_alive_timeout(PING.1)
        .keep_alive_while_idle(true)
        .connect_with_connector(connector)
        .await
        .map_err(ConnectError::Broken)
}

/// Opens a plain connection to a server, within `limit`.
pub(super) async fn reach(address: &ControlAddress, limit: Duration) -> io::Result<UnixStream> {
    let ControlAddress::Unix(path) = address;
    let connected = tokio::time::timeout(limit, UnixStream::connect(path)).await;
    connected.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

/// An open stream. When it is dropped it sends nothing more, lets the last messages arrive, and closes.
#[derive(Debug)]
pub(super) struct ControlStream {
    reports: mpsc::Sender<NodeMessage>,
    heard: mpsc::Receiver<ControlMessage>,
}

impl ControlStream {
    /// Opens the stream, with `hello` as its first message.
    pub(super) fn open(channel: Channel, hello: NodeMessage) -> Self {
        let (reports, outgoing) = mpsc::channel(REPORTS);
        let (forward, heard) = mpsc::channel(WAITING);
        let stream = Self { reports, heard };
        stream.send(hello);
        tokio::spawn(listen(channel, outgoing, forward));
        stream
    }

    /// Queues a message. Returns `false` if control does not read.
    pub(super) fn send(&self, message: NodeMessage) -> bool {
        self.reports.try_send(message).is_ok()
    }

    /// Closes the receiving side of the stream.
    pub(super) fn ended(mut self) -> Self {
        self.heard.close();
        self
    }

    /// Returns the next message of control. `None` at the end of the stream.
    pub(super) async fn next(&mut self) -> Option<ControlMessage> {
        self.heard.recv().await
    }
}

async fn listen(
    channel: Channel,
    outgoing: mpsc::Receiver<NodeMessage>,
    forward: mpsc::Sender<ControlMessage>,
) {
    let mut client = ControlPlaneClient::new(channel).max_decoding_message_size(MOST_MESSAGE_BYTES);
    let opened = tokio::select! {
        opened = client.sync(Request::new(ReceiverStream::new(outgoing))) => opened,
        () = forward.closed() => return,
    };
    let ended = match opened {
        Ok(answer) => pass_on(answer.into_inner(), &forward).await,
        Err(status) => Err(status),
    };
    if let Err(status) = ended {
        tracing::info!(code = ?status.code(), reason = cause(&status), "stream closed by control");
    }
}

/// Returns the deepest cause of a status: if a connection broke, the status itself does not contain the reason.
fn cause(status: &Status) -> String {
    let mut cause = std::error::Error::source(status);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    match cause {
        Some(cause) => format!("{}: {cause}", status.message()),
        None => status.message().to_owned(),
    }
}

async fn pass_on(
    mut incoming: Streaming<ControlMessage>,
    forward: &mpsc::Sender<ControlMessage>,
) -> Result<(), Status> {
    loop {
        let message = tokio::select! {
            message = incoming.message() => message?,
            () = forward.closed() => break,
        };
        let Some(message) = message else {
            return Ok(());
        };
        if forward.send(message).await.is_err() {
            break;
        }
    }
    // The stream was dropped: our side is closed, and control closes its side once it has read our last messages.
    let parting = async { while let Ok(Some(_)) = incoming.message().await {} };
    let _ = tokio::time::timeout(PARTING, parting).await;
    Ok(())
}
