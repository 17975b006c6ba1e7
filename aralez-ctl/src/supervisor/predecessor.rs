//! `aralez -u`: another supervisor runs, and this one takes over from it without a client noticing.
//!
//! The new proxy takes the listeners from the running one (ARCHITECTURE, Leaving). When it serves, the supervisor before is sent SIGQUIT: its
//! proxy drains and its control leaves, and only then can the new control open the ledger. Until then nothing has changed for the running one,
//! so that a start that fails costs nothing. Proxies serve without control in between.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aralez_runtime::lock::{self, InstanceLock};
use rustix::process::{Pid, Signal, kill_process};
use tracing::{info, warn};

use super::daemon::{Daemon, Running};
use super::orders::Orders;
use crate::exit::Failure;

/// How often the state of the other processes is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The supervisor that runs.
#[derive(Debug)]
pub(super) struct Predecessor {
    /// The machine's `state_dir`.
    state: PathBuf,
    supervisor: Option<Pid>,
}

impl Predecessor {
    /// The supervisor that holds the lock on `place`, below `state`; `None` where none runs.
    pub(super) fn find(state: &Path, place: &Path) -> Option<Self> {
        lock::is_held(place).then(|| Self {
            state: state.to_owned(),
            supervisor: lock::named(place).and_then(pid_of),
        })
    }

    /// Starts the proxy that takes over; it serves when this returns, and the predecessor has been asked to leave. `None`: told to stop meanwhile.
    pub(super) async fn replaced(
        &self,
        proxy: &Daemon,
        orders: &Orders,
    ) -> Result<Option<Running>, Failure> {
        let mut running = proxy.start_with(None, &["-u"])?;
        tokio::select! {
            () = self.taken_over_by(running.id()) => {}
            status = running.ended() => {
                let status = status?;
                return Err(Failure::refused(format!(
                    "{} did not take over ({status}): the running one goes on",
                    proxy.name()
                )));
            }
            () = orders.stopping() => {
                running.kill().await?;
                return Ok(None);
            }
        }
        info!("the new proxy serves, the supervisor before is asked to leave");
        self.ask_to_leave();
        Ok(Some(running))
    }

    /// Until the lock of a proxy's state names this process: then it serves, and the one before drains.
    async fn taken_over_by(&self, proxy: Option<u32>) {
        let names = |folder: PathBuf| proxy.is_some() && lock::named(&folder) == proxy;
        while !self.proxies().any(names) {
            tokio::time::sleep(LOOK).await;
        }
    }

    fn proxies(&self) -> impl Iterator<Item = PathBuf> {
        let entries = std::fs::read_dir(&self.state)
            .into_iter()
            .flatten()
            .flatten();
        let is_proxy = |name: &str| name.starts_with("proxy-");
        entries
            .filter(move |entry| entry.file_name().to_str().is_some_and(is_proxy))
            .map(|entry| entry.path())
    }

    fn ask_to_leave(&self) {
        match self.supervisor {
            // One that was stopped by hand meanwhile is gone.
            Some(supervisor) => drop(kill_process(supervisor, Signal::QUIT)),
            None => warn!(
                "it is not known which process the supervisor before is: stop it, control waits for that"
            ),
        }
    }
}

/// Waits until the control of the predecessor has let its state go.
pub(super) async fn control_is_free(state: &Path) {
    let folder = state.join("control");
    while lock::is_held(&folder) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Takes the lock on `place` when the predecessor is gone, and keeps it.
pub(super) async fn inherited(place: &Path) -> Result<InstanceLock, Failure> {
    loop {
        match InstanceLock::acquire(place) {
            Ok(lock) => return Ok(lock),
            Err(lock::LockError::Held { .. }) => tokio::time::sleep(LOOK).await,
            Err(error) => return Err(Failure::refused(error.to_string())),
        }
    }
}

fn pid_of(id: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(id).ok()?)
}
