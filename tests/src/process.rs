//! The real binaries as child processes: each in its own process group, with its output kept, killed when the test is over.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use rustix::process::{
    Pid, Resource, Rlimit, Signal, getrlimit, kill_process, kill_process_group, prlimit,
    setpriority_process, setrlimit,
};

use crate::eventually::try_eventually;

const SHOWN_LINES: usize = 80;

/// Returns the path of a workspace binary, in cargo's target directory next to the test binary.
///
/// # Panics
/// If it was not built.
pub fn binary(name: &str) -> PathBuf {
    let here = std::env::current_exe().expect("a test knows its own path");
    let folder = here.parent().expect("a binary lies in a folder");
    // Tests are in target/PROFILE/deps, programs in target/PROFILE.
    let folder = match folder.ends_with("deps") {
        true => folder.parent().expect("tests lie in target/PROFILE/deps"),
        false => folder,
    };
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{name} is not built: run `cargo build --workspace --bins` first (`make test` does)"
    );
    path
}

/// Runs a binary until it exits, for at most `limit`.
///
/// # Panics
/// If it does not start, or does not exit in time.
pub async fn run(limit: Duration, name: &str, arguments: &[&str]) -> Output {
    run_with(limit, name, arguments, &[]).await
}

/// Like [`run`], with extra environment variables.
///
/// # Panics
/// If it does not start, or does not exit in time.
pub async fn run_with(
    limit: Duration,
    name: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Output {
    let child = tokio::process::Command::new(binary(name))
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a built binary starts");
    match tokio::time::timeout(limit, child.wait_with_output()).await {
        Ok(output) => output.expect("the output of a child can be read"),
        Err(_) => panic!("{name} {arguments:?} did not end within {limit:?}"),
    }
}

/// Returns stdout and stderr of a process as text.
pub fn text(output: &Output) -> String {
    let both = [&output.stdout, &output.stderr];
    both.map(|bytes| String::from_utf8_lossy(bytes)).concat()
}

/// What a proxy's log has for each panic (`count_panics`).
const PANIC: &str = "panic at ";

/// A running daemon. Dropping it kills its whole process group, and prints its last log lines if the test failed. A test during which a
/// proxy panicked fails when it drops the daemon: nothing that a client or control sends may cause a panic, whatever the test is about.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a binary. Its stdout and stderr are appended to `log`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start(name: &str, arguments: &[&str], log: &Path) -> Self {
        Self::start_program(&binary(name), arguments, log)
    }

    /// Like [`Daemon::start`], for a program outside this workspace: a path, or a name looked up in `PATH`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_program(program: &Path, arguments: &[&str], log: &Path) -> Self {
        use std::os::unix::process::CommandExt;
        let out = File::options()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file can be opened");
        let errors = out.try_clone().expect("a file handle can be cloned");
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .expect("a program that is there starts");
        let name = program.file_name().unwrap_or(program.as_os_str());
        Self {
            name: name.to_string_lossy().into_owned(),
            child,
            log: log.to_owned(),
        }
    }

    /// Returns its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns everything that it has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Sends a signal to the process, not to its group.
    pub fn signal(&self, signal: Signal) {
        // The process may have exited already, which is fine.
        let _ = kill_process(pid(self.child.id()), signal);
    }

    /// Limits the file descriptors that it may open from now on to numbers below `below`. Open ones stay open.
    ///
    /// # Panics
    /// If the kernel does not allow it.
    pub fn limit_open_files(&self, below: u64) {
        let limit = Rlimit {
            current: Some(below),
            // Keep the hard limit, which the child inherited: once lowered, only a privileged process could raise it again.
            maximum: getrlimit(Resource::Nofile).maximum,
        };
        prlimit(Some(pid(self.pid())), Resource::Nofile, limit).expect("limits may be lowered");
    }

    /// Lowers the priority of all its threads to this nice level.
    ///
    /// # Panics
    /// If the kernel does not allow it.
    pub fn lower_priority(&self, level: i32) {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid()));
        let tasks = tasks.expect("a running process has threads").flatten();
        let ids = tasks.filter_map(|task| task.file_name().to_str()?.parse().ok());
        for id in ids {
            setpriority_process(Some(pid(id)), level).expect("priorities may be lowered");
        }
    }

    /// Returns the exit status. `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// Waits until it exits. Returns the status and the time waited.
    ///
    /// # Errors
    /// If it still runs after `limit`.
    pub async fn end(&mut self, limit: Duration) -> Result<(ExitStatus, Duration), String> {
        let what = format!("{} ends", self.name);
        let child = &mut self.child;
        try_eventually(limit, &what, || {
            let state = child.try_wait();
            async move {
                match state {
                    Ok(Some(status)) => Ok(status),
                    Ok(None) => Err("it still runs".to_owned()),
                    Err(error) => Err(error.to_string()),
                }
            }
        })
        .await
    }

    /// Sends SIGKILL and waits for the exit.
    ///
    /// # Panics
    /// If waiting for the child fails.
    pub fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("a killed child ends");
    }

    /// Returns its peak resident memory, in bytes.
    ///
    /// # Panics
    /// If it has exited.
    pub fn peak_memory(&self) -> u64 {
        memory(self.pid(), "VmHWM:").expect("a running process has a peak of memory")
    }

    /// Returns its resident memory, in bytes.
    ///
    /// # Panics
    /// If it has exited.
    pub fn memory(&self) -> u64 {
        memory(self.pid(), "VmRSS:").expect("a running process has memory")
    }

    fn show(&self) {
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let from = lines.len().saturating_sub(SHOWN_LINES);
        eprintln!("---- last lines of {} (pid {})", self.name, self.pid());
        for line in &lines[from..] {
            eprintln!("{line}");
        }
        eprintln!("---- end of {}", self.name);
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show();
        }
        // Kill the group, so that a supervisor's children die too. The group may be gone already.
        let _ = kill_process_group(pid(self.child.id()), Signal::KILL);
        let _ = self.child.wait();
        if !std::thread::panicking() {
            let log = self.log();
            let panic = log.lines().find(|line| line.contains(PANIC));
            assert!(panic.is_none(), "{} panicked: {panic:?}", self.name);
        }
    }
}

/// Reports whether a process with this id is alive; a zombie is not.
pub fn alive(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .starts_with(" Z")
    })
}

/// Returns the ids and names of the child processes of `parent`.
pub fn children(parent: u32) -> Vec<(u32, String)> {
    let entries = std::fs::read_dir("/proc").expect("/proc can be listed");
    entries
        .filter_map(|entry| {
            let id: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            let (head, tail) = stat.rsplit_once(") ")?;
            let owner: u32 = tail.split(' ').nth(1)?.parse().ok()?;
            (owner == parent).then(|| (id, head.split_once('(').unwrap_or_default().1.to_owned()))
        })
        .collect()
}

/// Sends a signal to one process.
pub fn kill(id: u32, signal: Signal) {
    let _ = kill_process(pid(id), signal);
}

fn memory(id: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

fn pid(id: u32) -> Pid {
    let raw = i32::try_from(id).expect("process ids are small");
    Pid::from_raw(raw).expect("process ids are not zero")
}

/// Raises the soft limit of open files to the hard limit. Processes started later inherit it.
///
/// # Errors
/// If the system does not allow it.
pub fn raise_open_files() -> std::io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    Ok(setrlimit(Resource::Nofile, raised)?)
}
