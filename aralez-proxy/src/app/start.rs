//! The start of the process: alone, with sockets from systemd, or as the successor of a running proxy.

use std::time::Duration;

use anyhow::Context;
use aralez_runtime::lock::InstanceLock;
use tokio::time::timeout;
use tracing::{info, warn};

use super::listeners::{Listeners, Passed};
use crate::activation::Activated;
use crate::drain::Asks;
use crate::handover::{self, TakenOver};
use crate::settings::Settings;
use crate::sync::SyncHandle;

/// Time a successor waits for its first configuration if the running proxy has one. Less than the running proxy waits for the successor.
const FIRST: Duration = Duration::from_secs(30);

/// The resources that the process owns before it serves.
#[derive(Debug)]
pub(super) struct StartState {
    pub(super) lock: InstanceLock,
    pub(super) listeners: Listeners,
    before: Option<TakenOver>,
}

impl StartState {
    /// Locks the state folder and opens the listeners. With `upgrade`, takes both over from the running proxy.
    pub(super) fn new(
        settings: &Settings,
        activated: Vec<Activated>,
        upgrade: bool,
    ) -> anyhow::Result<Self> {
        let mut before = match upgrade {
            true => handover::take(&settings.upgrade_sock)?,
            false => None,
        };
        if upgrade && before.is_none() {
            warn!(socket = %settings.upgrade_sock.display(), "-u: no running proxy to take over from, starting as usual");
        }
        let mut passed = Passed::default();
        passed.by_systemd(activated)?;
        let lock = match &mut before {
            Some(taken) => {
                passed.by_running(std::mem::take(&mut taken.listeners))?;
                InstanceLock::passed(&settings.state_dir, taken.lock.try_clone()?)?
            }
            None => InstanceLock::acquire(&settings.state_dir)?,
        };
        Ok(Self {
            lock,
            listeners: passed.claimed(settings)?,
            before,
        })
    }

    /// Waits for a configuration if the running proxy serves one: until then, that proxy serves better than this one.
    pub(super) fn expect_live(&self, sync: &SyncHandle, asks: &mut Asks) -> anyhow::Result<()> {
        if !self.before.as_ref().is_some_and(|before| before.live) {
            return Ok(());
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let mut status = sync.status();
        let live = status.wait_for(|status| status.running.is_some());
        let came = runtime.block_on(async {
            tokio::select! {
                found = timeout(FIRST, live) => Ok(found.is_ok_and(|found| found.is_ok())),
                _ = asks.next() => Err("shutdown requested before this process served"),
            }
        });
        match came {
            Ok(true) => Ok(()),
            Ok(false) => {
                anyhow::bail!("no configuration within {FIRST:?}: the running proxy continues")
            }
            Err(reason) => anyhow::bail!("{reason}: the running proxy continues"),
        }
    }

    /// Reports to the running proxy, if any, that this process serves. That proxy then stops writing its state and drains. Returns whether
    /// there was one; if so, no later error may end this process.
    pub(super) fn serving(&mut self) -> anyhow::Result<bool> {
        let Some(before) = self.before.take() else {
            return Ok(false);
        };
        before
            .serving()
            .context("cannot complete the handover from the running proxy")?;
        info!("took over from the running proxy");
        self.lock.name_holder();
        Ok(true)
    }
}
