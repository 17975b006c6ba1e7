//! Reaction of a running daemon to SIGHUP and SIGUSR1: rereads `main.yaml` and reopens the log file.

use aralez_proto::main_config::{ChangedKey, MainConfig, Owner};
use tracing::{error, info, warn};

use crate::main_file::MainFile;
use crate::telemetry::Log;

/// The files that a running daemon reads or opens again on a signal.
#[derive(Debug)]
pub struct Reread {
    file: MainFile,
    log: Log,
    owner: Owner,
}

impl Reread {
    /// Creates it for the daemon that owns the keys of `owner`.
    pub const fn new(file: MainFile, log: Log, owner: Owner) -> Self {
        Self { file, log, owner }
    }

    /// Handles SIGHUP: reads `main.yaml` again, applies its log level, and logs the keys that need a restart. Returns the configuration,
    /// for the other live keys; `None` if the file has a fault, which changes nothing.
    pub fn main_file(&mut self) -> Option<MainConfig> {
        let daemon = self.owner.name();
        let (config, changes) = match self.file.reload() {
            Ok(read) => read,
            Err(error) => {
                error!(
                    daemon,
                    "SIGHUP: main.yaml rejected, keeping the previous one: {error}"
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
        info!(daemon, changed = taken, "SIGHUP: main.yaml reread");
        if !waiting.is_empty() {
            warn!(
                daemon,
                keys = waiting,
                "SIGHUP: changed keys of main.yaml need a restart"
            );
        }
        Some(config)
    }

    /// Handles SIGUSR1: opens the log file again by its name.
    pub fn log_file(&self) {
        let daemon = self.owner.name();
        match self.log.reopen() {
            Ok(()) => info!(daemon, "SIGUSR1: log reopened"),
            Err(error) => error!(daemon, "SIGUSR1: log not reopened, old file kept: {error}"),
        }
    }
}
