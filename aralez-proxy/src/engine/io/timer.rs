//! One timer for a connection, whatever it waits for.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::time::Sleep;

/// Wakes a task at its deadline. A deadline moves with every byte, a timer is expensive to move: it stays where it is while it fires
/// early enough, and looks again.
#[derive(Debug, Default)]
pub struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Timer {
    /// Ready once `deadline` has passed; never without one.
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
            // It fired early: the next look moves it.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}
