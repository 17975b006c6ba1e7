//! SIGHUP and SIGUSR1: what a running proxy reads again.

use anyhow::Context;
use aralez_proto::main_config::MainConfig;
use aralez_runtime::reread::Reread;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::core::leaving::Phases;
use crate::settings;

/// Obeys both for as long as the runtime lasts, while the proxy drains as well. What it gives back are the phases of a drain as `main.yaml` says
/// now: a drain that has begun keeps those of its beginning.
pub(super) fn follow(
    mut reread: Reread,
    phases: Phases,
) -> anyhow::Result<watch::Receiver<Phases>> {
    let listen = |kind| signal(kind).context("cannot listen for signals");
    let mut hang_up = listen(SignalKind::hangup())?;
    let mut reopen = listen(SignalKind::user_defined1())?;
    let (tell, told) = watch::channel(phases);
    let take = move |config: MainConfig| {
        tell.send_replace(settings::phases(&config));
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
    Ok(told)
}
