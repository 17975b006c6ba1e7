//! Both daemons on one machine: started, restarted, and taken along.
//!
//! Each daemon holds the reading end of a pipe as its standard input (`--exit-with-parent`). The kernel closes the other end when this
//! process ends, whatever ends it, so that no daemon is ever left behind.

mod addresses;
mod daemon;
mod ready;
mod restarts;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use aralez_proto::main_config::MainConfig;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::exit::Failure;
pub(crate) use addresses::Addresses;
pub(crate) use daemon::beside_own;
use daemon::{Binaries, Daemon};
use restarts::{Next, Restarts};

/// How long the proxy waits for control to listen before it starts without: it does not need control to serve.
const CONTROL_FIRST: Duration = Duration::from_secs(3);
const DEFAULT_GRACE: Duration = Duration::from_secs(25);
const DEFAULT_LAME_DUCK: Duration = Duration::from_secs(5);
/// What a daemon may take beyond its own grace before it is killed.
const MARGIN: Duration = Duration::from_secs(5);

/// What is run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The `main.yaml` that both daemons are given.
    pub(crate) main: PathBuf,
    /// What it says.
    pub(crate) config: MainConfig,
}

/// How far stopping has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stop {
    Not,
    /// Asked once: daemons finish what runs.
    Gently,
    /// Asked again: at once.
    Now,
}

/// Has both daemons check everything and leave.
pub(crate) async fn check(main: PathBuf) -> Result<(), Failure> {
    let binaries = Binaries::beside_own()?;
    let control = Daemon::new("aralez-control", binaries.control, main.clone());
    let proxy = Daemon::new("aralez-proxy", binaries.proxy, main);
    // Both are asked, so that all that is wrong is said at once.
    let (control, proxy) = (control.check().await, proxy.check().await);
    control.and(proxy)
}

/// Runs both daemons until this process is told to stop, or one does not start. `ready` is called once, when traffic is served.
pub(crate) async fn run(plan: &Plan, ready: impl FnOnce()) -> Result<(), Failure> {
    let binaries = Binaries::beside_own()?;
    let addresses = Addresses::of(&plan.config);
    addresses.expect_free()?;
    let patience = patience(&plan.config);
    let control = Daemon::new("aralez-control", binaries.control, plan.main.clone());
    let proxy = Daemon::new("aralez-proxy", binaries.proxy, plan.main.clone());
    let (stop, _) = watch::channel(Stop::Not);
    let both = async {
        let control = keep(&control, &stop, patience);
        let proxy = async {
            let listens = ready::listens(addresses.api());
            // Late is fine: the proxy connects when control is there.
            let _ = tokio::time::timeout(CONTROL_FIRST, listens).await;
            keep(&proxy, &stop, patience).await
        };
        let (control, proxy) = tokio::join!(control, proxy);
        control.and(proxy)
    };
    let announced = async {
        ready::serves(&addresses).await;
        ready();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        ended = both => ended,
        failed = obey_signals(&stop) => failed,
        () = announced => Ok(()),
    }
}

fn patience(config: &MainConfig) -> Duration {
    let grace = config.grace_period.unwrap_or(DEFAULT_GRACE);
    grace + config.lame_duck.unwrap_or(DEFAULT_LAME_DUCK) + MARGIN
}

/// Passes SIGTERM and SIGINT on. Ends only where signals cannot be heard.
async fn obey_signals(stop: &watch::Sender<Stop>) -> Result<(), Failure> {
    let deaf = |error| Failure::refused(format!("cannot listen for signals: {error}"));
    let mut term = signal(SignalKind::terminate()).map_err(deaf)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(deaf)?;
    loop {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_modify(|stop| {
            *stop = match *stop {
                Stop::Not => Stop::Gently,
                Stop::Gently | Stop::Now => Stop::Now,
            };
        });
        info!(now = *stop.borrow() == Stop::Now, "stopping");
    }
}

/// Keeps a daemon running until it is to stop. One that does not start at all takes the other along.
async fn keep(
    daemon: &Daemon,
    stop: &watch::Sender<Stop>,
    patience: Duration,
) -> Result<(), Failure> {
    let mut stopping = stop.subscribe();
    let mut restarts = Restarts::default();
    while *stopping.borrow_and_update() == Stop::Not {
        let began = Instant::now();
        let mut running = daemon.start().inspect_err(|_| give_up(stop))?;
        let status = tokio::select! {
            status = running.ended() => status?,
            _ = stopping.changed() => return end(running, stopping, patience).await,
        };
        match restarts.after(status.code(), began.elapsed()) {
            Next::GiveUp => {
                give_up(stop);
                let name = daemon.name();
                return Err(Failure::refused(format!(
                    "{name} does not start ({status})"
                )));
            }
            Next::After(delay) => {
                warn!(daemon = daemon.name(), %status, ?delay, "a daemon ended, starting it again");
                let _ = tokio::time::timeout(delay, stopping.changed()).await;
            }
        }
    }
    Ok(())
}

fn give_up(stop: &watch::Sender<Stop>) {
    stop.send_modify(|stop| {
        if *stop == Stop::Not {
            *stop = Stop::Gently;
        }
    });
}

/// Asks a daemon to leave, and makes it leave where it does not.
async fn end(
    mut running: daemon::Running,
    mut stopping: watch::Receiver<Stop>,
    patience: Duration,
) -> Result<(), Failure> {
    if *stopping.borrow_and_update() != Stop::Now {
        running.ask_to_leave();
        let hurried = stopping.wait_for(|stop| *stop == Stop::Now);
        tokio::select! {
            status = running.ended() => return status.map(|_| ()),
            _ = hurried => {}
            () = tokio::time::sleep(patience) => {
                warn!(daemon = running.name(), ?patience, "a daemon did not leave in time, killing it");
            }
        }
    }
    running.kill().await
}
