//! Signals that end a command which waits for control: it still says what it knows, also to programs.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Failure};

/// The signals that end a command, heard from when this was made.
#[derive(Debug)]
pub(crate) struct Interrupts(Option<[Signal; 3]>);

impl Interrupts {
    /// From now on such a signal is heard and does not end the process by itself.
    pub(crate) fn listen() -> Self {
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let [interrupt, terminate, hang_up] = kinds.map(signal);
        // Without handlers, a signal ends the process as it always does.
        Self(match (interrupt, terminate, hang_up) {
            (Ok(interrupt), Ok(terminate), Ok(hang_up)) => Some([interrupt, terminate, hang_up]),
            _ => None,
        })
    }

    /// Waits for the next one; its name.
    pub(crate) async fn next(&mut self) -> &'static str {
        let Some([interrupt, terminate, hang_up]) = &mut self.0 else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
            _ = hang_up.recv() => "SIGHUP",
        }
    }

    /// Waits for control's answer to a change. Who is interrupted meanwhile cannot know whether it was made.
    pub(crate) async fn or_answer<T>(
        &mut self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            answer = answer => answer,
            name = self.next() => Err(Failure::new(
                Exit::Unproven,
                format!("interrupted by {name} before control answered: whether the documents are committed is not known; `aralez-ctl status` says so"),
            )),
        }
    }
}
