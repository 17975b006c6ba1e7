//! The command line of `aralez-control`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Variables that are no options: other users can see a command line.
const ENVIRONMENT: &str = "Environment:
  JWT_KEY  The key that signs the tokens of POST /jwt, if it is to differ from master_key";

/// The control daemon of Aralez: it turns documents into revisions and distributes them to every proxy.
#[derive(Parser, Clone, Debug, Default)]
#[command(name = "aralez-control", version, disable_version_flag = true, after_help = ENVIRONMENT)]
pub struct Args {
    /// The main.yaml to run with; defaults apply without one
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Check the configuration and exit: 0 if it is valid, 1 otherwise
    #[arg(short = 't', long = "test")]
    pub test: bool,

    /// Print the version
    #[arg(short = 'V', long = "version", action = clap::ArgAction::Version)]
    version: Option<bool>,

    /// Used by `aralez-ctl store` on a state folder while no control runs
    #[command(subcommand)]
    pub offline: Option<Offline>,

    /// For tests: how long nodes may raise the generation of a new or restored history, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub settling_ms: Option<u64>,

    /// For tests: how long files that remove in bulk are held, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub hold_ms: Option<u64>,

    /// For tests: the time between two writes of the discovered endpoints, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub checkpoint_ms: Option<u64>,

    /// For tests: how long a file may stay open for writing before the set is read without it, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub writer_patience_ms: Option<u64>,

    /// For tests: the time between two heartbeats, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub heartbeat_ms: Option<u64>,

    /// For tests: how long a proxy serves before it tries a suspect configuration once more, in milliseconds
    #[arg(long, hide = true, value_name = "MS")]
    pub retry_suspects_ms: Option<u64>,

    /// Exit when standard input is closed: the supervisor is gone
    #[arg(long, hide = true)]
    pub exit_with_parent: bool,
}

/// Subcommands that do not start the daemon.
#[derive(Subcommand, Clone, Debug)]
pub enum Offline {
    /// Check or restore the ledger of a state folder; `aralez-ctl store` presents the result
    #[command(hide = true)]
    Store {
        /// The operation.
        #[command(subcommand)]
        verb: StoreVerb,
    },
}

/// Operations on a ledger. Each prints its result as one line of JSON.
#[derive(Subcommand, Clone, Debug)]
pub enum StoreVerb {
    /// Read the whole ledger and report damage
    Check {
        /// The `state_dir` of control
        #[arg(long, value_name = "DIR")]
        state_dir: PathBuf,
    },
    /// Replace the ledger with a backup
    Restore {
        /// The backup
        file: PathBuf,
        /// The `state_dir` of control
        #[arg(long, value_name = "DIR")]
        state_dir: PathBuf,
        /// Replace a ledger even if it has revisions or belongs to another cluster
        #[arg(long)]
        force: bool,
    },
}
