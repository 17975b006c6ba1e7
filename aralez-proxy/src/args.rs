//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::core::sync::cluster::ClusterId;
use crate::core::sync::subscription::RETRY_ALONE;

/// The data plane of Aralez: serves traffic from the newest snapshot it accepted.
#[derive(Parser, Debug, Clone, Default)]
#[command(name = "aralez-proxy", version, disable_version_flag = true)]
pub struct Args {
    /// The configuration file; if omitted, embedded defaults apply.
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Check the configuration and exit.
    #[arg(short = 't', long = "test")]
    pub test: bool,
    /// Take over the listeners of the running proxy, which then drains; if none runs, start normally.
    #[arg(short = 'u', long = "upgrade")]
    pub upgrade: bool,
    /// Run in the background (not supported in this release).
    #[arg(short = 'd', long = "daemon")]
    pub daemon: bool,
    /// Show the version.
    #[arg(short = 'V', long = "version", action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Exit when the parent process exits; set by the one-box supervisor.
    #[arg(long, hide = true)]
    pub exit_with_parent: bool,
    /// For systemd's ExecStopPost: record how the service ended, from $SERVICE_RESULT, $EXIT_CODE and $EXIT_STATUS, and exit.
    #[arg(long)]
    pub record_exit: bool,
    /// Move the stopped proxy to this cluster (id as shown by `aralez-ctl status`) if its own is lost for good, and exit.
    #[arg(long, value_name = "CLUSTER")]
    pub accept_cluster: Option<ClusterId>,
    /// For tests: without control, retry a suspect configuration after this many milliseconds.
    #[arg(long, hide = true, value_name = "MS")]
    pub retry_alone_ms: Option<u64>,
}

impl Args {
    /// Returns the range of the time without control after which the proxy tries a suspect configuration once more.
    pub fn retry_alone(&self) -> (Duration, Duration) {
        let fixed = self.retry_alone_ms.map(Duration::from_millis);
        fixed.map_or(RETRY_ALONE, |fixed| (fixed, fixed))
    }

    /// Returns a message if an option was given that this release does not implement.
    pub fn not_yet(&self) -> Option<&'static str> {
        self.daemon
            .then_some("-d is not supported in this release; use systemd or `aralez-ctl up`")
    }
}
