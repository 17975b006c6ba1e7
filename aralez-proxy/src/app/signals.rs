//! The signals of a proxy: TERM, INT and QUIT shut down, HUP reloads `main.yaml`, USR1 reopens the log.

use std::sync::Arc;

use anyhow::Context;
use aralez_runtime::reread::Reread;
use aralez_runtime::signals::{self, DaemonSignal};
use tokio::sync::{mpsc, watch};

use crate::core::leaving::Phases;
use crate::core::request::credentials::CredentialMemory;
use crate::drain::{Ask, Asks};
use crate::settings;

/// Handles signals for the life of the process, including during the drain. Returns the shutdown requests, and the drain phases of the
/// current `main.yaml`; `credentials` gets its `auth_failures`. A drain that has begun keeps the phases it began with.
pub(super) fn obey(
    signals: signals::Signals,
    mut reread: Reread,
    phases: Phases,
    credentials: Arc<CredentialMemory>,
) -> anyhow::Result<(Asks, watch::Receiver<Phases>)> {
    let (tell, told_phases) = watch::channel(phases);
    let (ask, asks) = mpsc::unbounded_channel();
    let leave = move |asked| {
        // The receiver is dropped only when the process is already exiting.
        let _ = ask.send(asked);
    };
    let obeyed = signals.handle(move |told| match told {
        DaemonSignal::Terminate | DaemonSignal::Interrupt => leave(Ask::Leave),
        DaemonSignal::Quit => leave(Ask::HandOver),
        DaemonSignal::Reopen => reread.log_file(),
        DaemonSignal::HangUp => {
            if let Some(config) = reread.main_file() {
                tell.send_replace(settings::phases(&config));
                credentials.set_rate(config.auth_failures);
            }
        }
    });
    obeyed.context("cannot install signal handlers")?;
    Ok((Asks::new(asks), told_phases))
}
