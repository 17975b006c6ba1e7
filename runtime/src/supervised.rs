//! A daemon that exits when its supervisor exits, even by SIGKILL.
//!
//! The supervisor starts a daemon with `--exit-with-parent` and holds the write end of its standard input, which the kernel closes however
//! the supervisor exits. This needs no signals and no polling of process ids.
//!
//! A supervisor that restarts a daemon passes it the previous exit in the variable [`LAST_EXIT`].

use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread;

mod exit;
pub use exit::{LAST_EXIT, ProcessExit, UnknownExit};

/// Calls `leave` once, on a separate thread, when standard input reaches its end: the supervisor is gone.
///
/// # Errors
/// If no thread can be started.
pub fn on_parent_exit(leave: impl FnOnce() + Send + 'static) -> io::Result<()> {
    watch(io::stdin(), leave)
}

/// Returns a daemon's own path for a documented file (`pid_file`, `error_log`) whose name belongs to the supervisor: the same path with the
/// daemon's name as a suffix.
pub fn own_file(path: &Path, daemon: &str) -> PathBuf {
    let mut own = path.as_os_str().to_owned();
    own.push(".");
    own.push(daemon);
    own.into()
}

fn watch(
    input: impl Read + Send + 'static,
    leave: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let watcher = thread::Builder::new().name("parent-watch".to_owned());
    watcher.spawn(move || {
        wait_for_end(input);
        leave();
    })?;
    Ok(())
}

fn wait_for_end(mut input: impl Read) {
    let mut unused = [0; 64];
    loop {
        match input.read(&mut unused) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_daemons_file_lies_beside_the_supervisors() {
        let own = own_file(Path::new("/run/aralez.pid"), "control");
        assert_eq!(own, Path::new("/run/aralez.pid.control"));
    }

    #[test]
    fn a_daemon_is_told_when_the_other_end_closes_and_not_before() {
        let (input, mut supervisor) = io::pipe().unwrap();
        let (tell, told) = mpsc::channel();
        watch(input, move || tell.send(()).unwrap()).unwrap();
        supervisor.write_all(b"still here\n").unwrap();
        assert!(told.recv_timeout(Duration::from_millis(50)).is_err());
        drop(supervisor);
        told.recv_timeout(Duration::from_secs(10)).unwrap();
    }
}
