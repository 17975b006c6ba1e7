//! `aralez -u`: takes over from a running supervisor without an effect on clients.
//!
//! The new proxy takes the listeners from the running one (ARCHITECTURE, "Leaving and handing over"). Once it serves, the previous
//! supervisor is sent SIGQUIT: its proxy drains and its control exits, and only then can the new control open the ledger. Until the new
//! proxy serves, nothing changes for the running supervisor, so a failed start has no effect. Proxies serve without control in between.

use std::path::{Path, PathBuf};
use std::time::Duration;

use aralez_runtime::lock::{self, InstanceLock};
use rustix::process::{Pid, Signal, kill_process};
use tracing::{info, warn};

use super::daemon::{Daemon, Running};
use super::orders::Orders;
use crate::exit::Failure;

/// Interval of checks on the other processes.
const LOOK: Duration = Duration::from_millis(20);

/// The running supervisor.
#[derive(Debug)]
pub(super) struct Predecessor {
    /// The machine's `state_dir`.
    state: PathBuf,
    supervisor: Option<Pid>,
}

impl Predecessor {
    /// Returns the supervisor that holds the lock on `place`, below `state`; `None` if none runs.
    pub(super) fn find(state: &Path, place: &Path) -> Option<Self> {
        lock::is_held(place).then(|| Self {
            state: state.to_owned(),
            supervisor: lock::read_holder(place).and_then(pid_of),
        })
    }

    /// Starts the proxy that takes over. On return it serves, and the predecessor has been asked to exit. `None` if asked to stop
    /// meanwhile.
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
                    "{} did not take over ({status}): the running one continues",
                    proxy.name()
                )));
            }
            () = orders.stopping() => {
                running.kill().await?;
                return Ok(None);
            }
        }
        info!("new proxy serves, asking the previous supervisor to exit");
        self.ask_to_leave();
        Ok(Some(running))
    }

    /// Waits until the lock of a proxy's state names this process: then it serves and the previous one drains.
    async fn taken_over_by(&self, proxy: Option<u32>) {
        let names = |folder: PathBuf| proxy.is_some() && lock::read_holder(&folder) == proxy;
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
            // The process may have exited meanwhile.
            Some(supervisor) => drop(kill_process(supervisor, Signal::QUIT)),
            None => warn!(
                "process id of the previous supervisor unknown: stop that supervisor, control waits for its exit"
            ),
        }
    }
}

/// Waits until the predecessor's control has released its state.
pub(super) async fn control_is_free(state: &Path) {
    let folder = state.join("control");
    while lock::is_held(&folder) {
        tokio::time::sleep(LOOK).await;
    }
}

/// Waits until the predecessor is gone, and takes the lock on `place`.
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
