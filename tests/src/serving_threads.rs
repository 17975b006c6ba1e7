//! Reads from `/proc` how often each serving thread of a proxy was woken, and how many client connections each one holds.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Returns how often each serving thread of a process woke up (its voluntary context switches).
///
/// # Panics
/// Panics if the process is gone.
pub fn wake_ups(pid: u32) -> BTreeMap<PathBuf, u64> {
    tasks(pid)
        .into_iter()
        .filter(|task| name(task).starts_with("serve-"))
        .map(|task| {
            let status = std::fs::read_to_string(task.join("status")).unwrap_or_default();
            let line = status
                .lines()
                .find(|line| line.starts_with("voluntary_ctxt_switches"));
            let count = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
            (task, count.unwrap_or(0_u64))
        })
        .collect()
}

fn tasks(pid: u32) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/task"));
    let entries = entries.expect("a running process has threads");
    entries.flatten().map(|entry| entry.path()).collect()
}

fn name(task: &std::path::Path) -> String {
    std::fs::read_to_string(task.join("comm")).unwrap_or_default()
}

/// Returns the number of client connections to `local` that each epoll instance of a process watches, in descending order. Instances
/// without any are omitted.
///
/// # Panics
/// Panics if the process is gone.
pub fn connections_per_epoll(pid: u32, local: SocketAddr) -> Vec<usize> {
    let clients = established(local);
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let entries = std::fs::read_dir(folder.join("fd")).expect("a running process has descriptors");
    let is_client = |fd: &str| {
        let target = std::fs::read_link(folder.join("fd").join(fd)).unwrap_or_default();
        clients.contains(target.to_string_lossy().as_ref())
    };
    let watched = |fd: &str| {
        let info = std::fs::read_to_string(folder.join("fdinfo").join(fd)).unwrap_or_default();
        let fds = info.lines().filter_map(|line| {
            let rest = line.strip_prefix("tfd:")?;
            rest.split_whitespace().next().map(str::to_owned)
        });
        fds.filter(|fd| is_client(fd)).collect::<BTreeSet<_>>()
    };
    let fds = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    // The runtime holds two file descriptors of the same epoll instance: the set removes the duplicate.
    let epolls: BTreeSet<_> = fds
        .map(|fd| watched(&fd))
        .filter(|clients| !clients.is_empty())
        .collect();
    let mut counts: Vec<usize> = epolls.iter().map(BTreeSet::len).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts
}

/// Returns the local sockets of established connections to the port of `local`, in the form of the links in `/proc/PID/fd`.
fn established(local: SocketAddr) -> HashSet<String> {
    const ESTABLISHED: &str = "01";
    let table = std::fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp can be read");
    let port = format!(":{:04X}", local.port());
    let sockets = table.lines().skip(1).filter_map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let ours = columns.get(1)?.ends_with(&port) && *columns.get(3)? == ESTABLISHED;
        ours.then(|| format!("socket:[{}]", columns[9]))
    });
    sockets.collect()
}
