//! The single timer of a connection, shared by all its deadlines.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::Sleep;

/// Wakes a task at its deadline. Deadlines move with every byte and re-arming a timer is expensive, so an armed timer that fires early
/// enough is left alone and re-armed when it fires.
#[derive(Debug, Default)]
pub struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Ready once `deadline` has passed; never ready without one.
    pub fn poll(
        &mut self,
        cx: &mut Context<'_>,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Poll<()> {
        let Some(deadline) = deadline else {
            return Poll::Pending;
        };
        if now >= deadline {
            return Poll::Ready(());
        }
        let target = tokio::time::Instant::from_std(deadline);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(target)));
        let armed = sleep.deadline();
        if armed > target || armed.into_std() <= now {
            sleep.as_mut().reset(target);
        }
        if sleep.as_mut().poll(cx).is_ready() {
            // It fired early: the next poll re-arms it.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
