//! The command line.

use std::path::PathBuf;

use clap::Parser;

/// The data plane of Aralez: serves traffic from the newest snapshot it accepted.
#[derive(Parser, Debug, Clone, Default)]
#[command(name = "aralez-proxy", version, disable_version_flag = true)]
pub struct Args {
    /// The configuration; without it, embedded defaults.
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Check the configuration and leave.
    #[arg(short = 't', long = "test")]
    pub test: bool,
    /// Take the listeners over from the running proxy, which drains then; without one, start as usual.
    #[arg(short = 'u', long = "upgrade")]
    pub upgrade: bool,
    /// Run in the background (not in this release).
    #[arg(short = 'd', long = "daemon")]
    pub daemon: bool,
    /// Show the version.
    #[arg(short = 'V', long = "version", action = clap::ArgAction::Version)]
    version: Option<bool>,
    /// Leave when the process that started this one is gone: for the one-box supervisor.
    #[arg(long, hide = true)]
    pub exit_with_parent: bool,
}

impl Args {
    /// What was asked for and is not in this release.
    pub fn not_yet(&self) -> Option<&'static str> {
        self.daemon
            .then_some("-d is not in this release; use systemd or `aralez-ctl up`")
    }
}
