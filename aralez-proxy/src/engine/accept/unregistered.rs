//! New clients that wait for their first response and are not registered with the runtime yet. Registration costs syscalls, and most
//! responses are ready before it pays off. One timer serves all such clients of a thread; one timer each would cost a syscall itself.

use parking_lot::Mutex;
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::sync::Notify;

/// Approximate time for which a client stays unregistered.
pub const FOR: Duration = Duration::from_millis(10);

/// The unregistered clients of one thread.
#[derive(Debug, Default)]
pub struct UnregisteredSockets {
    waiting: Mutex<Vec<Waker>>,
    some: Notify,
}

impl UnregisteredSockets {
    /// Wakes this task within twice [`FOR`], provided that [`UnregisteredSockets::look`] runs.
    pub fn look_again(&self, cx: &Context<'_>) {
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() {
            self.some.notify_one();
        }
        // A task that calls twice in a row is already in the list.
        if !waiting
            .last()
            .is_some_and(|last| last.will_wake(cx.waker()))
        {
            waiting.push(cx.waker().clone());
        }
    }

    /// Wakes the waiting tasks, round after round. Never returns.
    pub async fn look(&self) {
        loop {
            self.some.notified().await;
            tokio::time::sleep(FOR).await;
            let waiting = std::mem::take(&mut *self.waiting.lock());
            waiting.into_iter().for_each(Waker::wake);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;
    use std::task::Poll;
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn everyone_who_waits_is_woken_soon_and_whoever_comes_later_too() {
        let unwatched = Arc::new(UnregisteredSockets::default());
        let looking = Arc::clone(&unwatched);
        let look = tokio::spawn(async move { looking.look().await });
        for _ in 0..3 {
            let until = Instant::now() + FOR;
            let wait = poll_fn(|cx| {
                if Instant::now() >= until {
                    return Poll::Ready(());
                }
                unwatched.look_again(cx);
                Poll::Pending
            });
            tokio::time::timeout(Duration::from_secs(10), wait)
                .await
                .unwrap();
        }
        look.abort();
    }
}
