//! From a stream's task to its connection: a few messages, so that an update leaves in one piece.
//!
//! Messages are boxed, because the queue keeps room for many of them however few it takes, and there is one for each of thousands of streams.

use std::pin::Pin;
use std::task::{Context, Poll};

use aralez_proto::wire::control as wire;
use futures_util::Stream;
use tokio::sync::mpsc;
use tonic::Status;

/// A small update is three messages: begin, part, commit. Parts are shared with all nodes that are sent the same, so that what waits here
/// is little.
const BUFFERED: usize = 4;

type Message = Result<wire::ControlMessage, Status>;

/// Where a stream's task puts what is to be sent.
#[derive(Clone, Debug)]
pub(super) struct Sender(mpsc::Sender<Box<Message>>);

/// What the connection takes.
#[derive(Debug)]
pub(super) struct Outgoing(mpsc::Receiver<Box<Message>>);

/// The connection is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Gone;

/// Both ends.
pub(super) fn channel() -> (Sender, Outgoing) {
    let (sender, receiver) = mpsc::channel(BUFFERED);
    (Sender(sender), Outgoing(receiver))
}

impl Sender {
    /// Waits until there is room, and queues a message.
    pub(super) async fn send(&self, message: Message) -> Result<(), Gone> {
        let sent = self.0.send(Box::new(message)).await;
        sent.map_err(|_| Gone)
    }

    /// Waits until there is room.
    pub(super) async fn room(&self) -> Result<(), Gone> {
        self.0.reserve().await.map(drop).map_err(|_| Gone)
    }

    /// Queues messages for as long as there is room.
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
