//! The signals of a proxy: TERM, INT and QUIT leave, HUP reads `main.yaml` again, USR1 opens the log again.

use anyhow::Context;
use aralez_runtime::reread::Reread;
use aralez_runtime::signals::{self, Told};
use tokio::sync::{mpsc, watch};

use crate::core::leaving::Phases;
use crate::drain::{Ask, Asks};
use crate::settings;

/// Obeys HUP and USR1 for as long as the process lives, while it drains as well. What it gives back: the signals that ask it to leave, and the
/// phases of a drain as `main.yaml` says now. A drain that has begun keeps those of its beginning.
pub(super) fn obey(
    signals: signals::Signals,
    mut reread: Reread,
    phases: Phases,
) -> anyhow::Result<(Asks, watch::Receiver<Phases>)> {
    let (tell, told_phases) = watch::channel(phases);
    let (ask, asks) = mpsc::unbounded_channel();
    let leave = move |asked| {
        // Nobody is left who could leave: the process ends already.
        let _ = ask.send(asked);
    };
    let obeyed = signals.obey(move |told| match told {
        Told::Terminate | Told::Interrupt => leave(Ask::Leave),
        Told::Quit => leave(Ask::HandOver),
        Told::Reopen => reread.log_file(),
        Told::HangUp => {
            if let Some(config) = reread.main_file() {
                tell.send_replace(settings::phases(&config));
            }
        }
    });
    obeyed.context("cannot take signals over")?;
    Ok((Asks::new(asks), told_phases))
}
