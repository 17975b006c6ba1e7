//! Signals that interrupt a command while it waits for control. The command still prints what it knows, also for programs.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Failure};

/// Handlers of the interrupting signals; `None` if they could not be installed.
#[derive(Debug)]
pub(crate) struct Interrupts(Option<[Signal; 3]>);

impl Interrupts {
    /// Installs the handlers. From then on these signals no longer terminate the process.
    pub(crate) fn listen() -> Self {
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
        ];
        let [interrupt, terminate, hang_up] = kinds.map(signal);
        // Without handlers, signals keep their default action.
        Self(match (interrupt, terminate, hang_up) {
            (Ok(interrupt), Ok(terminate), Ok(hang_up)) => Some([interrupt, terminate, hang_up]),
            _ => None,
        })
    }

    /// Waits for the next signal and returns its name.
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

    /// Waits for control's answer to a change. After an interrupt it is unknown whether the change was made.
    pub(crate) async fn or_answer<T>(
        &mut self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            answer = answer => answer,
            name = self.next() => Err(Failure::new(
                Exit::Unproven,
                format!("interrupted by {name} before the answer: it is not known whether control committed; run `aralez-ctl status`"),
            )),
        }
    }
}
