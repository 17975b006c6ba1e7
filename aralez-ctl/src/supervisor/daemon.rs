//! One daemon as a child process.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use aralez_runtime::supervised::{LAST_EXIT, ProcessExit};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, ChildStdin, Command};

use crate::exit::{Exit, Failure};

/// Paths of the daemons' programs.
#[derive(Debug)]
pub(super) struct Binaries {
    pub(super) control: PathBuf,
    pub(super) proxy: PathBuf,
}

impl Binaries {
    /// Returns the programs next to the one that runs now, so that all are of one release.
    pub(super) fn beside_own() -> Result<Self, Failure> {
        Ok(Self {
            control: beside_own("aralez-control")?,
            proxy: beside_own("aralez-proxy")?,
        })
    }
}

/// Returns the path of the program `name` next to the one that runs now.
pub(crate) fn beside_own(name: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|error| {
        Failure::refused(format!(
            "cannot determine the path of this program: {error}"
        ))
    })?;
    let folder = own.parent().unwrap_or_else(|| Path::new("."));
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    let words = format!(
        "{} is missing: all programs of a release must be in one folder",
        path.display()
    );
    Err(Failure::refused(words))
}

/// Start parameters of a daemon.
#[derive(Debug)]
pub(super) struct Daemon {
    name: &'static str,
    program: PathBuf,
    main: PathBuf,
}

impl Daemon {
    /// Creates a daemon that runs `program` with the configuration `main`.
    pub(super) const fn new(name: &'static str, program: PathBuf, main: PathBuf) -> Self {
        Self {
            name,
            program,
            main,
        }
    }

    /// Returns the daemon's name.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Starts the daemon and passes it the exit of its previous process. It gets its own process group: a signal from the terminal reaches
    /// only this process, which forwards it once.
    pub(super) fn start(&self, before: Option<ProcessExit>) -> Result<Running, Failure> {
        self.start_with(before, &[])
    }

    /// Like [`Self::start`], with more arguments.
    pub(super) fn start_with(
        &self,
        before: Option<ProcessExit>,
        arguments: &[&str],
    ) -> Result<Running, Failure> {
        let mut command = self.command();
        command.args(arguments);
        match before {
            Some(exit) => command.env(LAST_EXIT, exit.to_string()),
            // A value that this process inherited does not concern the daemon.
            None => command.env_remove(LAST_EXIT),
        };
        let mut child = command
            .arg("--exit-with-parent")
            .stdin(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| self.cannot_start(&error))?;
        // `Child::wait` closes the child's standard input, which the daemon would take for the exit of its supervisor.
        let lifeline = child.stdin.take();
        Ok(Running {
            name: self.name,
            child,
            _lifeline: lifeline,
        })
    }

    /// Runs the daemon's configuration check.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        let status = self
            .command()
            .args(["-t", "--exit-with-parent"])
            .stdin(Stdio::null())
            .status()
            .await
            .map_err(|error| self.cannot_start(&error))?;
        match status.code() {
            Some(0) => Ok(()),
            Some(2) => Err(Failure::new(Exit::Usage, "")),
            _ => Err(Failure::refused("")),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&self.main);
        command
    }

    fn cannot_start(&self, error: &std::io::Error) -> Failure {
        Failure::refused(format!("cannot start {}: {error}", self.program.display()))
    }
}

/// A running daemon.
#[derive(Debug)]
pub(super) struct Running {
    name: &'static str,
    child: Child,
    /// Its standard input. While this is open, the daemon has a supervisor.
    _lifeline: Option<ChildStdin>,
}

impl Running {
    /// Returns the daemon's name.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Waits until the process exits.
    pub(super) async fn ended(&mut self) -> Result<ExitStatus, Failure> {
        let status = self.child.wait().await;
        status.map_err(|error| Failure::refused(format!("cannot wait for {}: {error}", self.name)))
    }

    /// Returns the process id; `None` once the process has exited.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Sends a signal.
    pub(super) fn signal(&self, signal: Signal) {
        let pid = self.id().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = pid.and_then(Pid::from_raw) {
            // The process may just have exited.
            let _ = kill_process(pid, signal);
        }
    }

    /// Sends SIGKILL and waits for the exit.
    pub(super) async fn kill(&mut self) -> Result<(), Failure> {
        let killed = self.child.kill().await;
        killed.map_err(|error| Failure::refused(format!("cannot kill {}: {error}", self.name)))
    }
}
