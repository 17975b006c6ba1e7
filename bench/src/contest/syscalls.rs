//! System calls of a proxy, counted by `strace` in a separate round, because tracing slows the proxy down. Slower
//! rounds have larger batches, so calls that wait are undercounted.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use rustix::process::Signal;

use aralez_tests::process;

/// Number of calls by name.
pub type Calls = BTreeMap<String, u64>;

/// A running `strace -c`. Dropping it detaches from the traced processes.
#[derive(Debug)]
pub struct Tracer {
    child: Child,
}

impl Tracer {
    /// Starts tracing all threads of the processes. Returns before `strace` has attached.
    ///
    /// # Errors
    /// If `strace` cannot be started.
    pub fn attach(processes: &[u32], report: &Path) -> Result<Self> {
        let mut command = Command::new("strace");
        command.args(["-f", "-c", "-o"]).arg(report);
        for process in processes {
            command.args(["-p", &process.to_string()]);
        }
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("strace is not installed")?;
        Ok(Self { child })
    }

    /// Stops tracing. Returns the counts.
    ///
    /// # Errors
    /// If `strace` wrote no report.
    pub fn finish(mut self, report: &Path) -> Result<Calls> {
        process::kill(self.child.id(), Signal::INT);
        self.child.wait()?;
        let text = std::fs::read_to_string(report).context("strace wrote no report")?;
        Ok(read(&text))
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // After `finish` the process has already exited.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Parses the table that `strace -c` writes.
pub fn read(report: &str) -> Calls {
    let lines = report.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (calls, name) = (words.get(3)?, words.last()?);
        let calls = calls.parse().ok()?;
        // Columns: share, seconds, time per call, calls, errors (may be empty), name.
        (words.len() >= 5 && *name != "total").then(|| ((*name).to_owned(), calls))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_strace_is_read() {
        let report = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 61.03    0.001300           1      1000           recvfrom
 38.97    0.000830           1       800       400 epoll_wait
------ ----------- ----------- --------- --------- ----------------
100.00    0.002130           1      1800       400 total
";
        let calls = read(report);
        assert_eq!(calls.len(), 2);
        assert_eq!(calls["recvfrom"], 1000);
        assert_eq!(calls["epoll_wait"], 800);
    }
}
