//! `aralez`: the documented command, as a supervisor of both daemons.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aralez_proto::main_config::MainConfig;
use aralez_runtime::{main_file, private, telemetry};
use clap::Parser;
use tracing::info;

use crate::exit::{Exit, Failure};
use crate::output;
use crate::supervisor::{self, Plan};

/// A reverse proxy with its control, on one machine.
#[derive(Parser, Debug)]
#[command(name = "aralez", version)]
pub struct Args {
    /// The main.yaml of both daemons
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    pub config: PathBuf,
    /// Check everything and leave
    #[arg(short = 't', long = "test")]
    pub test: bool,
    /// Documented; comes in a later release.
    #[arg(short = 'd', long = "daemon", hide = true)]
    pub background: bool,
    /// Documented; comes in a later release.
    #[arg(short = 'u', long = "upgrade", hide = true)]
    pub upgrade: bool,
}

/// Runs `aralez`.
pub fn run(args: &Args) -> ExitCode {
    crate::end(crate::block_on(started(args)))
}

async fn started(args: &Args) -> Result<(), Failure> {
    expect_known(args)?;
    if args.test {
        return supervisor::check(args.config.clone()).await;
    }
    let config =
        main_file::load(Some(&args.config)).map_err(|error| Failure::refused(error.to_string()))?;
    telemetry::init(
        config.log_level.unwrap_or_default(),
        config.error_log.as_deref(),
    )
    .map_err(|error| Failure::refused(error.to_string()))?;
    let plan = Plan {
        main: args.config.clone(),
        config,
    };
    let _pid_file = PidFile::of(&plan.config)?;
    supervisor::run(&plan, || info!("both daemons run")).await
}

fn expect_known(args: &Args) -> Result<(), Failure> {
    let later = |flag, instead| {
        let words = format!("{flag} is not in this release: {instead}");
        Err(Failure::new(Exit::Usage, words))
    };
    match (args.background, args.upgrade) {
        (true, _) => later(
            "-d",
            "run it in the foreground, as systemd's Type=simple does",
        ),
        (_, true) => later("-u", "stop the running one first"),
        (false, false) => Ok(()),
    }
}

/// The documented `pid_file`, as long as this process runs.
#[derive(Debug)]
struct PidFile(Option<PathBuf>);

impl PidFile {
    fn of(config: &MainConfig) -> Result<Self, Failure> {
        let Some(path) = &config.pid_file else {
            return Ok(Self(None));
        };
        let pid = format!("{}\n", std::process::id());
        private::write_atomic(path, pid.as_bytes()).map_err(|error| {
            Failure::refused(format!("cannot write pid_file {}: {error}", path.display()))
        })?;
        Ok(Self(Some(path.clone())))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            remove(path);
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        output::say(&format!(
            "cannot remove pid_file {}: {error}",
            path.display()
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_a_later_release_are_usage_errors_that_say_so() {
        for flag in ["-d", "-u"] {
            let args = Args::try_parse_from(["aralez", "-c", "main.yaml", flag]).unwrap();
            let failure = expect_known(&args).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage);
            assert!(failure.words.contains(flag), "{}", failure.words);
        }
        assert_eq!(Args::try_parse_from(["aralez"]).unwrap_err().exit_code(), 2);
    }

    #[test]
    fn the_pid_file_goes_with_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aralez.pid");
        let config = MainConfig {
            pid_file: Some(path.clone()),
            ..MainConfig::default()
        };
        let pid_file = PidFile::of(&config).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.trim(), std::process::id().to_string());
        drop(pid_file);
        assert!(!path.exists());
    }
}
