//! What the supervisor is asked to do by signals, and what it passes on.

use std::sync::Arc;
use std::time::Duration;

use aralez_proto::main_config::MainConfig;
use aralez_runtime::reread::Reread;
use aralez_runtime::signals::{Signals, Told};
use rustix::process::Signal;
use tokio::sync::{broadcast, watch};
use tracing::info;

use crate::exit::Failure;

/// What a daemon may take beyond its own phases before it is killed.
const MARGIN: Duration = Duration::from_secs(5);
/// Signals that wait for a daemon to hear them. They come from people and scripts.
const WAITING: usize = 16;

/// How far stopping has come. It only goes forward.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Stop {
    /// Daemons run.
    Not,
    /// SIGQUIT: the proxy passes its listeners to a successor, then both daemons finish what runs.
    HandOver,
    /// Asked once: daemons finish what runs.
    Gently,
    /// Asked again: at once.
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

/// What those who keep a daemon follow.
#[derive(Debug)]
pub(super) struct Orders {
    stop: watch::Sender<Stop>,
    passed: broadcast::Sender<Signal>,
    patience: watch::Sender<Duration>,
}

impl Orders {
    /// To run what this configuration says.
    pub(super) fn new(config: &MainConfig) -> Self {
        Self {
            stop: watch::channel(Stop::Not).0,
            passed: broadcast::channel(WAITING).0,
            patience: watch::channel(patience(config)).0,
        }
    }

    /// How far stopping has come.
    pub(super) fn stop(&self) -> watch::Receiver<Stop> {
        self.stop.subscribe()
    }

    /// Resolves when daemons are to stop. It holds nothing then: who asks must be able to ask again.
    pub(super) async fn stopping(&self) {
        let mut stop = self.stop();
        let asked = stop.wait_for(|stop| *stop != Stop::Not).await.is_ok();
        if !asked {
            std::future::pending::<()>().await;
        }
    }

    /// SIGHUP and SIGUSR1, each for both daemons.
    pub(super) fn passed(&self) -> broadcast::Receiver<Signal> {
        self.passed.subscribe()
    }

    /// How long a daemon may take to leave, as `main.yaml` says now.
    pub(super) fn patience(&self) -> Duration {
        *self.patience.borrow()
    }

    /// A daemon cannot run: the other one is not needed any more.
    pub(super) fn give_up(&self) {
        self.stop
            .send_modify(|stop| *stop = (*stop).max(Stop::Gently));
    }

    /// Obeys signals for as long as the process lives.
    pub(super) fn obey(
        self: &Arc<Self>,
        signals: Signals,
        mut reread: Reread,
    ) -> Result<(), Failure> {
        let orders = Arc::clone(self);
        let obeyed = signals.obey(move |told| match told {
            Told::Terminate | Told::Interrupt => orders.ask(Ask::Leave),
            Told::Quit => orders.ask(Ask::HandOver),
            Told::HangUp => {
                if let Some(config) = reread.main_file() {
                    orders.patience.send_replace(patience(&config));
                }
                orders.pass(Signal::HUP);
            }
            Told::Reopen => {
                reread.log_file();
                orders.pass(Signal::USR1);
            }
        });
        obeyed.map_err(|error| Failure::refused(format!("cannot take signals over: {error}")))
    }

    fn ask(&self, ask: Ask) {
        self.stop.send_modify(|stop| *stop = stop.after(ask));
        info!(how = ?*self.stop.borrow(), "stopping");
    }

    fn pass(&self, signal: Signal) {
        // An error: no daemon runs now, and one that starts reads its files by itself.
        let _ = self.passed.send(signal);
    }
}

/// After SIGQUIT a proxy waits as long as its lame duck phase for a successor before that phase begins.
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
