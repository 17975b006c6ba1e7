//! The signals of control: TERM, INT and QUIT leave, HUP reads `main.yaml` again, USR1 opens the log again.

use anyhow::{Context, Result};
use aralez_proto::main_config::MainConfig;
use aralez_runtime::reread::Reread;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// The signals that ask control to leave.
pub(super) struct Leave {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
}

impl Leave {
    pub(super) fn listen() -> Result<Self> {
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            quit: listen(SignalKind::quit())?,
        })
    }

    /// Waits for the next one; its name.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.quit.recv() => "SIGQUIT",
        }
    }
}

/// Obeys HUP and USR1 for as long as the runtime lasts. `enabled` is told what `config_api_enabled` says now.
pub(super) fn follow(mut reread: Reread, enabled: watch::Sender<bool>) -> Result<()> {
    let mut hang_up = listen(SignalKind::hangup())?;
    let mut reopen = listen(SignalKind::user_defined1())?;
    let take = move |config: MainConfig| {
        enabled.send_replace(config.config_api_enabled.unwrap_or(true));
    };
    reread.catch_up().into_iter().for_each(&take);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = hang_up.recv() => reread.main_file().into_iter().for_each(&take),
                Some(()) = reopen.recv() => reread.log_file(),
                else => return,
            }
        }
    });
    Ok(())
}

fn listen(kind: SignalKind) -> Result<Signal> {
    signal(kind).context("cannot wait for signals")
}
