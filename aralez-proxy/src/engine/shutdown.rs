//! The shutdown signal, as seen by one connection.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::watch;

/// The shutdown signal. Once received, it stays set.
pub enum ShutdownSignal {
    /// Not polled yet. Most connections that carry one request never poll it.
    Unasked(watch::Receiver<bool>),
    /// Waiting for the signal.
    Listening(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// The signal was received.
    Heard,
}

impl std::fmt::Debug for ShutdownSignal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShutdownSignal").finish_non_exhaustive()
    }
}

impl ShutdownSignal {
    /// Watches the sender. A dropped sender counts as shutdown.
    pub const fn new(told: watch::Receiver<bool>) -> Self {
        Self::Unasked(told)
    }

    /// Reports whether the engine is shutting down, and wakes the task when it does.
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
