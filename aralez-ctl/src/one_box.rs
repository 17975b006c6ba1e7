//! `aralez`: one command that supervises both daemons.

use std::path::PathBuf;
use std::process::ExitCode;

use aralez_runtime::telemetry;
use clap::Parser;
use tracing::info;

use crate::exit::Failure;
use crate::supervisor::{self, Plan, background};

/// Run a reverse proxy and its control on one machine.
#[derive(Parser, Debug)]
#[command(name = "aralez", version)]
pub struct OneBoxArgs {
    /// The main.yaml of both daemons
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub config: PathBuf,
    /// Check the configuration and exit
    #[arg(short = 't', long = "test")]
    pub test: bool,
    /// Run in the background; return once traffic is served
    #[arg(short = 'd', long = "daemon")]
    pub background: bool,
    /// Take over from the running aralez, which drains and exits; if none runs, start as usual
    #[arg(short = 'u', long = "upgrade")]
    pub upgrade: bool,
    /// Marks the process in the background
    #[arg(long, hide = true)]
    pub in_background: bool,
}

/// Runs `aralez`.
pub fn run(args: &OneBoxArgs) -> ExitCode {
    crate::end(crate::block_on(started(args)))
}

async fn started(args: &OneBoxArgs) -> Result<(), Failure> {
    if args.test {
        return supervisor::check(args.config.clone()).await;
    }
    let mut plan = Plan::read(args.config.clone())?;
    let in_background = args.background || plan.config.daemon;
    if in_background && !args.in_background {
        return background::start(&plan.main, args.upgrade);
    }
    if args.in_background {
        background::leave_session()?;
    }
    plan.pid_file.clone_from(&plan.config.pid_file);
    plan.upgrade = args.upgrade;
    let level = plan.config.log_level;
    let log = telemetry::init(level, plan.config.error_log.as_deref())
        .map_err(|error| Failure::refused(error.to_string()))?;
    let ready = || {
        info!("both daemons running");
        if args.in_background {
            background::tell();
        }
    };
    supervisor::run(plan, log, ready).await
}
