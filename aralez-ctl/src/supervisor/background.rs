//! `-d` and `daemon: true`: the command goes on in the background once traffic is served.
//!
//! A process cannot fork safely once it has threads. So the command starts itself again, as the leader of a session of its own, and ends when that
//! one says that it serves: whoever waits for the command, systemd with `Type=forking` or a script, knows then that it came up.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::exit::{Exit, Failure};

/// The flag of the process in the background.
pub(crate) const FLAG: &str = "--in-background";
const SERVES: &str = "serves\n";

/// Starts this program in the background with these arguments, and waits until it serves.
///
/// # Errors
/// Where it ends before that; it has said why.
pub(crate) fn start(main: &Path, upgrade: bool) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::refused(format!("cannot go to the background: {error}"));
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
            "aralez ended before it served ({status})"
        ))),
    }
}

/// Leaves the session of whoever started the command, so that its end does not end this process.
///
/// # Errors
/// Where this process leads a session already.
pub(crate) fn leave_session() -> Result<(), Failure> {
    rustix::process::setsid()
        .map(drop)
        .map_err(|error| Failure::refused(format!("{FLAG} is for -d alone: {error}")))
}

/// Tells the process in the foreground that traffic is served.
pub(crate) fn tell() {
    let mut output = io::stdout();
    // Where the foreground is gone, nobody waits any more.
    let _ = output
        .write_all(SERVES.as_bytes())
        .and_then(|()| output.flush());
}
