//! Requests to the supervisor by signal, and the signals that it forwards.

use std::sync::Arc;
use std::time::Duration;

use aralez_proto::main_config::MainConfig;
use aralez_runtime::reread::Reread;
use aralez_runtime::signals::{DaemonSignal, Signals};
use rustix::process::Signal;
use tokio::sync::{broadcast, watch};
use tracing::info;

use crate::exit::Failure;

/// Time that a daemon may take beyond its own phases before it is killed.
const MARGIN: Duration = Duration::from_secs(5);
/// Capacity for signals that are not forwarded yet. Signals are rare: people and scripts send them.
const WAITING: usize = 16;

/// Progress of stopping. It only advances.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stop {
    /// Daemons run.
    Not,
    /// SIGQUIT: the proxy hands its listeners over to a successor, then both daemons drain.
    HandOver,
    /// Asked once: the daemons drain.
    Gently,
    /// Asked again: the daemons are killed.
    Now,
}

impl Stop {
    fn after(self, ask: Ask) -> Self {
        match (self, ask) {
            (stop, Ask::HandOver) => stop.max(Self::HandOver),
            (Self::Not | Self::HandOver, Ask::Leave) => Self::Gently,
            (Self::Gently | Self::Now, Ask::Leave) => Self::Now,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ask {
    HandOver,
    Leave,
}

/// State shared with the tasks that keep the daemons running.
#[derive(Debug)]
pub(super) struct Orders {
    stop: watch::Sender<Stop>,
    passed: broadcast::Sender<Signal>,
    patience: watch::Sender<Duration>,
}

impl Orders {
    /// Creates the initial state: nothing is to be stopped. The deadline for exits is computed from `config`.
    pub(super) fn new(config: &MainConfig) -> Self {
        Self {
            stop: watch::channel(Stop::Not).0,
            passed: broadcast::channel(WAITING).0,
            patience: watch::channel(patience(config)).0,
        }
    }

    /// Returns a receiver of the progress of stopping.
    pub(super) fn stop(&self) -> watch::Receiver<Stop> {
        self.stop.subscribe()
    }

    /// Waits until the daemons are to stop. Keeps no borrow of the channel, so that the next request is not blocked.
    pub(super) async fn stopping(&self) {
        let mut stop = self.stop();
        let asked = stop.wait_for(|stop| *stop != Stop::Not).await.is_ok();
        if !asked {
            std::future::pending::<()>().await;
        }
    }

    /// Returns a receiver of the signals for both daemons: SIGHUP and SIGUSR1.
    pub(super) fn passed(&self) -> broadcast::Receiver<Signal> {
        self.passed.subscribe()
    }

    /// Returns the time that a daemon may take to exit, according to the current `main.yaml`.
    pub(super) fn patience(&self) -> Duration {
        *self.patience.borrow()
    }

    /// Stops the other daemon, since this one cannot run.
    pub(super) fn give_up(&self) {
        self.stop
            .send_modify(|stop| *stop = (*stop).max(Stop::Gently));
    }

    /// Handles signals for the life of the process.
    pub(super) fn obey(
        self: &Arc<Self>,
        signals: Signals,
        mut reread: Reread,
    ) -> Result<(), Failure> {
        let orders = Arc::clone(self);
        let obeyed = signals.handle(move |told| match told {
            DaemonSignal::Terminate | DaemonSignal::Interrupt => orders.ask(Ask::Leave),
            DaemonSignal::Quit => orders.ask(Ask::HandOver),
            DaemonSignal::HangUp => {
                if let Some(config) = reread.main_file() {
                    orders.patience.send_replace(patience(&config));
                }
                orders.pass(Signal::HUP);
            }
            DaemonSignal::Reopen => {
                reread.log_file();
                orders.pass(Signal::USR1);
            }
        });
        obeyed.map_err(|error| Failure::refused(format!("cannot install signal handlers: {error}")))
    }

    fn ask(&self, ask: Ask) {
        self.stop.send_modify(|stop| *stop = stop.after(ask));
        info!(how = ?*self.stop.borrow(), "stopping");
    }

    fn pass(&self, signal: Signal) {
        // An error means that no daemon runs now; the next one reads its files when it starts.
        let _ = self.passed.send(signal);
    }
}

/// Returns the time that a daemon may take to exit. After SIGQUIT a proxy waits for a successor for up to its lame duck time before the
/// lame duck phase begins.
fn patience(config: &MainConfig) -> Duration {
    config.grace_period + 2 * config.lame_duck + MARGIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_request_to_leave_is_at_once_and_a_repeated_handover_is_not() {
        let all = |asks: &[Ask]| asks.iter().fold(Stop::Not, |stop, ask| stop.after(*ask));
        assert_eq!(all(&[Ask::Leave]), Stop::Gently);
        assert_eq!(all(&[Ask::Leave, Ask::Leave]), Stop::Now);
        assert_eq!(all(&[Ask::HandOver, Ask::HandOver]), Stop::HandOver);
        assert_eq!(all(&[Ask::HandOver, Ask::Leave]), Stop::Gently);
        assert_eq!(all(&[Ask::Leave, Ask::HandOver]), Stop::Gently);
    }
}
