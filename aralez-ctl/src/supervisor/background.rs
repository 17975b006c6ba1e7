//! `-d` and `daemon: true`: the command moves to the background once traffic is served.
//!
//! A process cannot fork safely once it has threads. The command therefore starts itself again as the leader of a new session, and exits
//! once that process reports that it serves. A caller that waits for the command, such as systemd with `Type=forking` or a script, then
//! knows that the start succeeded.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::exit::{Exit, Failure};

/// Flag of the process in the background.
pub(crate) const FLAG: &str = "--in-background";
const SERVES: &str = "serves\n";

/// Starts this program in the background with these arguments, and waits until it serves.
///
/// # Errors
/// If it exits before that; it has printed the reason.
pub(crate) fn start(main: &Path, upgrade: bool) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::refused(format!("cannot start in the background: {error}"));
    let own = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(own);
    command.arg("-c").arg(main).arg(FLAG);
    if upgrade {
        command.arg("-u");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut said = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output)
            .read_line(&mut said)
            .map_err(failed)?;
    }
    if said == SERVES {
        return Ok(());
    }
    let status = child.wait().map_err(failed)?;
    match status.code() {
        Some(2) => Err(Failure::new(Exit::Usage, "")),
        Some(_) => Err(Failure::refused("")),
        None => Err(Failure::refused(format!(
            "aralez exited before it served traffic ({status})"
        ))),
    }
}

/// Starts a new session, so that closing the caller's session does not terminate this process.
///
/// # Errors
/// If this process already leads a process group.
pub(crate) fn leave_session() -> Result<(), Failure> {
    rustix::process::setsid()
        .map(drop)
        .map_err(|error| Failure::refused(format!("{FLAG} is reserved for -d: {error}")))
}

/// Reports to the foreground process that traffic is served.
pub(crate) fn tell() {
    let mut output = io::stdout();
    // An error means that the foreground process is gone.
    let _ = output
        .write_all(SERVES.as_bytes())
        .and_then(|()| output.flush());
}
