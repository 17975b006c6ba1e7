//! The command line of `aralez-control`.

use std::path::PathBuf;

use clap::Parser;

/// The control daemon of Aralez: it turns documents into revisions and tells every proxy what to run.
#[derive(Parser, Clone, Debug, Default)]
#[command(name = "aralez-control", version, disable_version_flag = true)]
pub struct Args {
    /// The main.yaml to run with; without one, the defaults hold
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Check everything and leave: 0 where all is fine, 1 where something is not
    #[arg(short = 't', long = "test")]
    pub test: bool,

    /// Print the version
    #[arg(short = 'V', long = "version", action = clap::ArgAction::Version)]
    version: Option<bool>,

    /// For tests: how long files that take away in bulk are held, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub hold_ms: Option<u64>,

    /// For tests: how long a file may be open for writing before the set is taken without it, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub writer_patience_ms: Option<u64>,

    /// For tests: the time between two heartbeats, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub heartbeat_ms: Option<u64>,

    /// Leave when standard input ends: the supervisor is gone
    #[arg(long, hide = true)]
    pub exit_with_parent: bool,
}
