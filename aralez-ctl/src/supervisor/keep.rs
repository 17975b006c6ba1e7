//! Keeps one daemon running until it is asked to stop.

use std::process::ExitStatus;
use std::time::Instant;

use aralez_runtime::supervised::ProcessExit;
use rustix::process::Signal;
use tokio::sync::{broadcast, watch};
use tracing::warn;

use super::daemon::{Daemon, Running};
use super::orders::{Orders, Stop};
use super::restarts::{self, Next, Restarts};
use crate::exit::Failure;

/// Keeps a daemon running until it is asked to stop. A daemon that cannot start stops the other one as well. `running` is a process of the
/// daemon that already runs.
pub(super) async fn keep(
    daemon: &Daemon,
    orders: &Orders,
    mut running: Option<Running>,
) -> Result<(), Failure> {
    let mut restarts = Restarts::default();
    let mut before = None;
    while running.is_some() || *orders.stop().borrow() == Stop::Not {
        let began = Instant::now();
        let mut passed = orders.passed();
        let mut now = match running.take() {
            Some(running) => running,
            None => daemon.start(before).inspect_err(|_| orders.give_up())?,
        };
        let status = tokio::select! {
            status = attended(&mut now, &mut passed) => status?,
            () = orders.stopping() => return end(now, passed, orders).await,
        };
        before = restarts::told_next(before, ProcessExit::of(status));
        match restarts.after(status.code(), began.elapsed()) {
            Next::GiveUp => {
                orders.give_up();
                let name = daemon.name();
                return Err(Failure::refused(format!(
                    "{name} does not start ({status})"
                )));
            }
            Next::After(delay) => {
                warn!(daemon = daemon.name(), %status, ?delay, "daemon exited, restarting");
                let _ = tokio::time::timeout(delay, orders.stopping()).await;
            }
        }
    }
    Ok(())
}

/// Forwards signals until the daemon exits.
async fn attended(
    running: &mut Running,
    passed: &mut broadcast::Receiver<Signal>,
) -> Result<ExitStatus, Failure> {
    loop {
        tokio::select! {
            status = running.ended() => return status,
            Ok(signal) = passed.recv() => running.signal(signal),
        }
    }
}

/// Asks a daemon to exit, and kills it if it does not in time.
async fn end(
    mut running: Running,
    mut passed: broadcast::Receiver<Signal>,
    orders: &Orders,
) -> Result<(), Failure> {
    let mut stopping = orders.stop();
    let patience = tokio::time::sleep(orders.patience());
    tokio::pin!(patience);
    loop {
        // Copied: a borrow would block the sender of the next request.
        let stop = *stopping.borrow_and_update();
        match stop {
            Stop::Not => {}
            Stop::HandOver => running.signal(Signal::QUIT),
            Stop::Gently => running.signal(Signal::TERM),
            Stop::Now => return running.kill().await,
        }
        tokio::select! {
            status = attended(&mut running, &mut passed) => return status.map(drop),
            () = further(&mut stopping) => {}
            () = &mut patience => {
                warn!(daemon = running.name(), patience = ?orders.patience(), "daemon did not exit in time, killing it");
                return running.kill().await;
            }
        }
    }
}

/// Waits until stopping advances by a step.
async fn further(stopping: &mut watch::Receiver<Stop>) {
    let seen = *stopping.borrow();
    let went = stopping.wait_for(|stop| *stop != seen).await.is_ok();
    if !went {
        std::future::pending::<()>().await;
    }
}
