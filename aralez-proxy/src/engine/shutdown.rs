//! Hears that the engine closes: the part of one connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::watch;

/// Heard once, remembered after.
pub enum ShutdownSignal {
    /// Nothing was asked yet. Most connections of clients that come for one request never ask.
    Unasked(watch::Receiver<bool>),
    /// It is listened for.
    Listening(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// It was heard.
    Heard,
}

impl std::fmt::Debug for ShutdownSignal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Closing").finish_non_exhaustive()
    }
}

impl ShutdownSignal {
    /// Listens to the sender; that one going away counts as the close too.
    pub const fn new(told: watch::Receiver<bool>) -> Self {
        Self::Unasked(told)
    }

    /// Whether the engine closes; wakes the task when it does.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        if let Self::Unasked(told) = self {
            let mut told = told.clone();
            *self = Self::Listening(Box::pin(async move {
                let _ = told.wait_for(|closing| *closing).await;
            }));
        }
        if let Self::Listening(word) = self
            && let Poll::Ready(()) = word.as_mut().poll(cx)
        {
            *self = Self::Heard;
        }
        matches!(self, Self::Heard)
    }
}
