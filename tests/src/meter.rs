//! The cost of a proxy: CPU time and memory of all of its processes.

use std::time::Duration;

use crate::process;

/// Returns the process and all of its descendants.
pub fn family(leader: u32) -> Vec<u32> {
    let mut family = vec![leader];
    let mut next = 0;
    while let Some(parent) = family.get(next) {
        let children = process::children(*parent);
        family.extend(children.into_iter().map(|(child, _)| child));
        next += 1;
    }
    family
}

/// Returns the CPU time of all threads of the processes so far, user and kernel.
pub fn processor_time(processes: &[u32]) -> Duration {
    let threads = processes.iter().flat_map(|process| threads(*process));
    let nanoseconds = threads.map(|path| {
        let text = std::fs::read_to_string(format!("{path}/schedstat"));
        text.map_or(0, |text| running(&text))
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// Reports whether all threads of the processes are being traced.
pub fn are_traced(processes: &[u32]) -> bool {
    let mut threads = processes.iter().flat_map(|process| threads(*process));
    threads.all(|path| {
        let status = std::fs::read_to_string(format!("{path}/status")).unwrap_or_default();
        field(&status, "TracerPid:").is_some_and(|tracer| tracer != 0)
    })
}

/// Returns the memory of the processes in bytes (PSS: each shared page counts in proportion).
pub fn memory(processes: &[u32]) -> u64 {
    let each = processes.iter().map(|process| {
        let text = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"));
        field(&text.unwrap_or_default(), "Pss:").unwrap_or(0)
    });
    each.sum::<u64>() * 1024
}

fn threads(process: u32) -> Vec<String> {
    let entries = std::fs::read_dir(format!("/proc/{process}/task"));
    let entries = entries.into_iter().flatten().flatten();
    entries
        .map(|entry| entry.path().to_string_lossy().into_owned())
        .collect()
}

/// Returns the first number of `schedstat`: nanoseconds on a CPU.
fn running(text: &str) -> u64 {
    let first = text.split_whitespace().next();
    first.and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// Returns the number after the name of a field.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        assert_eq!(running("64191442 1200 33\n"), 64_191_442);
        assert_eq!(running(""), 0);
        let text = "55d0-7ffd ---p 00000000 00:00 0 [rollup]\nRss:  2048 kB\nPss:   1024 kB\nPss_Dirty: 1 kB\n";
        assert_eq!(field(text, "Pss:"), Some(1024));
        assert_eq!(field(text, "Swap:"), None);
    }
}
