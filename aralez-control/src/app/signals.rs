//! The signals of control: TERM, INT and QUIT shut it down, HUP rereads `main.yaml`, USR1 reopens the log.

use anyhow::{Context, Result};
use aralez_proto::main_config::FailureRate;
use aralez_runtime::reread::Reread;
use aralez_runtime::signals::{DaemonSignal, Signals};
use tokio::sync::watch;
use tracing::info;

/// Handles signals for the life of the process: HUP sends the new `config_api_enabled` and `auth_failures` to `live`; TERM, INT and QUIT set `leave`.
pub(super) fn obey(
    signals: Signals,
    mut reread: Reread,
    live: (watch::Sender<bool>, watch::Sender<FailureRate>),
    leave: watch::Sender<bool>,
) -> Result<()> {
    let obeyed = signals.handle(move |told| match told {
        DaemonSignal::HangUp => {
            if let Some(config) = reread.main_file() {
                live.0.send_replace(config.config_api_enabled);
                live.1.send_replace(config.auth_failures);
            }
        }
        DaemonSignal::Reopen => reread.log_file(),
        DaemonSignal::Terminate | DaemonSignal::Interrupt | DaemonSignal::Quit => {
            info!("received {}: shutting down", told.name());
            leave.send_replace(true);
        }
    });
    obeyed.context("cannot install signal handlers")
}
