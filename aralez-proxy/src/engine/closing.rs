//! The word that the engine closes, as one connection hears it.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::watch;

/// Heard once, remembered after.
pub struct Closing {
    word: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl std::fmt::Debug for Closing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Closing").finish_non_exhaustive()
    }
}

impl Closing {
    /// Listens. Who says the word going away is the word too.
    pub fn new(mut told: watch::Receiver<bool>) -> Self {
        Self {
            word: Some(Box::pin(async move {
                let _ = told.wait_for(|closing| *closing).await;
            })),
        }
    }

    /// Whether the word was heard; wakes the task when it is.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        if let Some(word) = &mut self.word
            && let Poll::Ready(()) = word.as_mut().poll(cx)
        {
            self.word = None;
        }
        self.word.is_none()
    }
}
