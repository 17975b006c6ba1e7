//! The channel from a stream's task to its connection. It holds a few messages, so that a small update leaves in one piece.
//!
//! Messages are boxed: the channel allocates its slots in blocks however few are used, and there is one channel for each of thousands of
//! streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use aralez_proto::wire::control as wire;
use futures_util::Stream;
use tokio::sync::mpsc;
use tonic::Status;

/// Capacity in messages. A small update is three: begin, part, commit. Parts are shared by all nodes that receive the same update, so
/// queued messages are small.
const BUFFERED: usize = 4;

type Message = Result<wire::ControlMessage, Status>;

/// The task's end: queues messages.
#[derive(Clone, Debug)]
pub(super) struct Sender(mpsc::Sender<Box<Message>>);

/// The connection's end: the stream of messages to send.
#[derive(Debug)]
pub(super) struct Outgoing(mpsc::Receiver<Box<Message>>);

/// Error: the connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gone;

/// Creates both ends of a channel.
pub(super) fn channel() -> (Sender, Outgoing) {
    let (sender, receiver) = mpsc::channel(BUFFERED);
    (Sender(sender), Outgoing(receiver))
}

impl Sender {
    /// Queues a message; waits while the channel is full.
    pub(super) async fn send(&self, message: Message) -> Result<(), Gone> {
        let sent = self.0.send(Box::new(message)).await;
        sent.map_err(|_| Gone)
    }

    /// Waits until the channel has capacity.
    pub(super) async fn ready(&self) -> Result<(), Gone> {
        self.0.reserve().await.map(drop).map_err(|_| Gone)
    }

    /// Queues messages until the channel is full or `next` returns `None`.
    pub(super) fn fill(&self, mut next: impl FnMut() -> Option<wire::ControlMessage>) {
        while let Ok(permit) = self.0.try_reserve() {
            let Some(message) = next() else {
                return;
            };
            permit.send(Box::new(Ok(message)));
        }
    }
}

impl Stream for Outgoing {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.0
            .poll_recv(cx)
            .map(|message| message.map(|boxed| *boxed))
    }
}
