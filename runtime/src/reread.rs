//! What a running daemon does with SIGHUP and SIGUSR1: `main.yaml` and the log file, read and opened again.

use aralez_proto::main_config::{ChangedKey, MainConfig, Owner};
use tracing::{error, info, warn};

use crate::main_file::MainFile;
use crate::telemetry::Log;

/// The files of a running daemon that are taken again on a signal.
#[derive(Debug)]
pub struct Reread {
    file: MainFile,
    log: Log,
    owner: Owner,
}

impl Reread {
    /// Of the daemon that owns the keys of `owner`.
    pub const fn new(file: MainFile, log: Log, owner: Owner) -> Self {
        Self { file, log, owner }
    }

    /// SIGHUP: reads `main.yaml` again, takes its log level, and names the keys that need a restart. Gives back what it says for the other
    /// live keys; `None` where it has a fault, which changes nothing.
    pub fn main_file(&mut self) -> Option<MainConfig> {
        let daemon = self.owner.name();
        let (config, changes) = match self.file.reload() {
            Ok(read) => read,
            Err(error) => {
                error!(
                    daemon,
                    "SIGHUP: main.yaml is not taken, the one before holds: {error}"
                );
                return None;
            }
        };
        self.log.set_level(config.log_level);
        let own = |change: &&ChangedKey| {
            matches!(change.owner, Owner::Each) || change.owner == self.owner
        };
        let names = |live: bool| {
            let changed = changes
                .iter()
                .filter(own)
                .filter(|change| change.live == live);
            changed
                .map(|change| change.key)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let (taken, waiting) = (names(true), names(false));
        info!(daemon, changed = taken, "SIGHUP: main.yaml was read again");
        if !waiting.is_empty() {
            warn!(
                daemon,
                keys = waiting,
                "SIGHUP: these changed keys of main.yaml hold after a restart"
            );
        }
        Some(config)
    }

    /// SIGUSR1: opens the log file again by its name.
    pub fn log_file(&self) {
        let daemon = self.owner.name();
        match self.log.reopen() {
            Ok(()) => info!(daemon, "SIGUSR1: the log was opened again"),
            Err(error) => error!(daemon, "SIGUSR1: events go to the old log file: {error}"),
        }
    }
}
