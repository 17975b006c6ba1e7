//! The command line of `aralez-control`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

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

    /// What `aralez-ctl store` runs on a state folder while no control does
    #[command(subcommand)]
    pub offline: Option<Offline>,

    /// For tests: how long nodes may raise the generation of a new or restored history, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub settling_ms: Option<u64>,

    /// For tests: how long files that take away in bulk are held, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub hold_ms: Option<u64>,

    /// For tests: between two writes of what sources found, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub checkpoint_ms: Option<u64>,

    /// For tests: how long a file may be open for writing before the set is taken without it, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub writer_patience_ms: Option<u64>,

    /// For tests: the time between two heartbeats, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub heartbeat_ms: Option<u64>,

    /// For tests: how long a proxy serves before a suspect configuration is tried on it once more, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub retry_suspects_ms: Option<u64>,

    /// Leave when standard input ends: the supervisor is gone
    #[arg(long, hide = true)]
    pub exit_with_parent: bool,
}

/// What is done instead of running.
#[derive(Subcommand, Clone, Debug)]
pub enum Offline {
    /// Check or restore the ledger of a state folder; `aralez-ctl store` shows what comes of it
    #[command(hide = true)]
    Store {
        /// What to do with it.
        #[command(subcommand)]
        verb: StoreVerb,
    },
}

/// What to do with a ledger. What comes of it is printed as one line of JSON.
#[derive(Subcommand, Clone, Debug)]
pub enum StoreVerb {
    /// Read everything in the ledger
    Check {
        /// The `state_dir` of control
        #[arg(long, value_name = "DIR")]
        state_dir: PathBuf,
    },
    /// Put a backup in the place of the ledger
    Restore {
        /// The backup
        file: PathBuf,
        /// The `state_dir` of control
        #[arg(long, value_name = "DIR")]
        state_dir: PathBuf,
        /// Replace a ledger that has revisions, or another cluster's
        #[arg(long)]
        force: bool,
    },
}
