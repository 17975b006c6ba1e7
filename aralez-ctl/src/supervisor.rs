//! Supervision of both daemons on one machine: starts, restarts and stops them.
//!
//! Each daemon holds the read end of a pipe as its standard input (`--exit-with-parent`). The kernel closes the write end when this process
//! exits for any reason, so no daemon is left behind.

mod addresses;
pub(crate) mod background;
mod daemon;
mod keep;
mod orders;
mod predecessor;
mod ready;
mod restarts;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aralez_proto::main_config::{MainConfig, Owner};
use aralez_runtime::lock::{self, InstanceLock, LockError};
use aralez_runtime::main_file::MainFile;
use aralez_runtime::pid_file::PidFile;
use aralez_runtime::reread::Reread;
use aralez_runtime::signals::Signals;
use aralez_runtime::telemetry::Log;
use aralez_runtime::{private, state};
use tracing::warn;

use crate::exit::Failure;
pub(crate) use addresses::Addresses;
pub(crate) use daemon::beside_own;
use daemon::{Binaries, Daemon};
use keep::keep;
use orders::Orders;
use predecessor::Predecessor;

/// Time for which the start of the proxy waits until control listens. Then the proxy starts anyway: it does not need control to serve.
const CONTROL_FIRST: Duration = Duration::from_secs(3);

/// Configuration of a run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The `main.yaml` passed to both daemons.
    pub(crate) main: PathBuf,
    /// The same file, for rereading.
    pub(crate) file: MainFile,
    /// Its parsed content.
    pub(crate) config: MainConfig,
    /// File for the id of this process, written once it is in charge.
    pub(crate) pid_file: Option<PathBuf>,
    /// Take over from the running supervisor.
    pub(crate) upgrade: bool,
}

impl Plan {
    /// Reads a plan from `main.yaml`, without a pid file or takeover.
    pub(crate) fn read(main: PathBuf) -> Result<Self, Failure> {
        let (file, config) =
            MainFile::open(Some(&main)).map_err(|error| Failure::refused(error.to_string()))?;
        Ok(Self {
            main,
            file,
            config,
            pid_file: None,
            upgrade: false,
        })
    }
}

/// Runs the configuration check of both daemons.
pub(crate) async fn check(main: PathBuf) -> Result<(), Failure> {
    let binaries = Binaries::beside_own()?;
    let control = Daemon::new("aralez-control", binaries.control, main.clone());
    let proxy = Daemon::new("aralez-proxy", binaries.proxy, main);
    // Check both even if the first fails, so that all faults are reported.
    let (control, proxy) = (control.check().await, proxy.check().await);
    control.and(proxy)
}

/// Runs both daemons until this process is asked to stop or a daemon does not start. Calls `ready` once, when traffic is served.
pub(crate) async fn run(plan: Plan, log: Log, ready: impl FnOnce()) -> Result<(), Failure> {
    let signals = Signals::register()
        .map_err(|error| Failure::refused(format!("cannot install signal handlers: {error}")))?;
    let binaries = Binaries::beside_own()?;
    let orders = Arc::new(Orders::new(&plan.config));
    orders.obey(signals, Reread::new(plan.file, log, Owner::Each))?;
    let both = Both {
        control: Daemon::new("aralez-control", binaries.control, plan.main.clone()),
        proxy: Daemon::new("aralez-proxy", binaries.proxy, plan.main.clone()),
        addresses: Addresses::of(&plan.config),
        state: plan
            .config
            .state_dir
            .clone()
            .unwrap_or_else(state::default_dir),
        pid_file: plan.pid_file,
        orders: &orders,
    };
    both.run(plan.upgrade, ready).await
}

/// The two daemons and their shared state.
struct Both<'a> {
    control: Daemon,
    proxy: Daemon,
    addresses: Addresses,
    state: PathBuf,
    pid_file: Option<PathBuf>,
    orders: &'a Orders,
}

impl Both<'_> {
    async fn run(&self, upgrade: bool, ready: impl FnOnce()) -> Result<(), Failure> {
        let place = self.state.join("supervisor");
        for folder in [&self.state, &place] {
            private::ensure_dir(folder).map_err(|error| {
                Failure::refused(format!("cannot use {}: {error}", folder.display()))
            })?;
        }
        if upgrade && let Some(before) = Predecessor::find(&self.state, &place) {
            return self.take_over(&before, &place, ready).await;
        }
        if upgrade {
            warn!("-u: no running aralez to take over from, starting as usual");
        }
        let _lock = InstanceLock::acquire(&place).map_err(|error| already_runs(&error))?;
        self.addresses.expect_free()?;
        let _pid_file = self.write_pid_file()?;
        let control = keep(&self.control, self.orders, None);
        let proxy = async {
            let listens = ready::listens(self.addresses.api());
            // Ignore the timeout: the proxy connects once control is up.
            let _ = tokio::time::timeout(CONTROL_FIRST, listens).await;
            keep(&self.proxy, self.orders, None).await
        };
        let both = async {
            let (control, proxy) = tokio::join!(control, proxy);
            control.and(proxy)
        };
        self.announced(both, ready).await
    }

    async fn take_over(
        &self,
        before: &Predecessor,
        place: &Path,
        ready: impl FnOnce(),
    ) -> Result<(), Failure> {
        let Some(proxy) = before.replaced(&self.proxy, self.orders).await? else {
            return Ok(());
        };
        // The next successor must find this process, although the predecessor holds the lock until it exits.
        lock::write_holder(place);
        let _pid_file = self.write_pid_file()?;
        let control = async {
            tokio::select! {
                () = predecessor::control_is_free(&self.state) => {}
                () = self.orders.stopping() => return Ok(()),
            }
            keep(&self.control, self.orders, None).await
        };
        let both = async {
            let (control, proxy) =
                tokio::join!(control, keep(&self.proxy, self.orders, Some(proxy)));
            control.and(proxy)
        };
        let lock = async {
            let held = predecessor::inherited(place).await;
            let _lock = held.inspect_err(|error| warn!("{}", error.words));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = self.announced(both, ready) => ended,
            () = lock => Ok(()),
        }
    }

    /// Runs both, and calls `ready` once traffic is served.
    async fn announced(
        &self,
        both: impl Future<Output = Result<(), Failure>>,
        ready: impl FnOnce(),
    ) -> Result<(), Failure> {
        let announced = async {
            ready::serves(&self.addresses).await;
            ready();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = both => ended,
            () = announced => Ok(()),
        }
    }

    fn write_pid_file(&self) -> Result<Option<PidFile>, Failure> {
        let written = self.pid_file.as_deref().map(PidFile::write).transpose();
        written.map_err(|error| Failure::refused(error.to_string()))
    }
}

fn already_runs(error: &LockError) -> Failure {
    let words = match error {
        LockError::Held { holder, folder } => format!(
            "aralez is already running as {holder} ({}): stop it, or take over from it with `aralez -u`",
            folder.display()
        ),
        LockError::Unusable { .. } | LockError::Foreign { .. } => error.to_string(),
    };
    Failure::refused(words)
}
