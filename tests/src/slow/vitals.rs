//! A process's file descriptors and memory, and its metrics.

use std::net::SocketAddr;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::raw;

/// Returns the number of open file descriptors of a process.
///
/// # Panics
/// Panics if the process is gone.
pub fn open_files(pid: u32) -> usize {
    let listed = std::fs::read_dir(format!("/proc/{pid}/fd"));
    listed
        .expect("a running process has a list of files")
        .count()
}

/// Resets a process's peak memory.
///
/// # Panics
/// Panics if the process is gone.
pub fn forget_peak(pid: u32) {
    let forgotten = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
    forgotten.expect("the peak of a running process can be reset");
}

/// Raises this process's limit of open file descriptors to its maximum.
///
/// # Panics
/// Panics if that is less than `count`.
pub fn may_open(count: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("a process may raise its own limit");
    let most = limit.maximum.unwrap_or(u64::MAX);
    assert!(
        most >= count as u64,
        "{count} open files are needed, {most} are allowed"
    );
}

/// A page of metrics in the text format.
#[derive(Clone, Debug, Default)]
pub struct Metrics(String);

impl Metrics {
    /// Fetches the metrics of a proxy from its admin listener.
    ///
    /// # Errors
    /// An error if there is no answer.
    pub async fn of(admin: SocketAddr) -> Result<Self, String> {
        let page = raw::get(admin, "admin", "/metrics").await?;
        Ok(Self(page.text()))
    }

    /// Fetches the metrics of control from the config API.
    ///
    /// # Errors
    /// An error if there is no answer.
    pub async fn of_control(api: SocketAddr) -> Result<Self, String> {
        let page = raw::get(api, "localhost", "/metrics").await?;
        Ok(Self(page.text()))
    }

    /// Returns the sum of a metric over all its labels.
    pub fn sum(&self, name: &str) -> u64 {
        self.values(name).map(|(_, value)| value).sum()
    }

    /// Returns the sum of a metric over the series with this label.
    pub fn labelled(&self, name: &str, key: &str, value: &str) -> u64 {
        let label = format!("{key}=\"{value}\"");
        self.values(name)
            .filter(|(labels, _)| labels.contains(&label))
            .map(|(_, value)| value)
            .sum()
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, u64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = rest.rsplit_once(' ')?;
            let whole_name = labels.is_empty() || labels.starts_with('{');
            whole_name.then_some((labels, value.parse::<f64>().ok()? as u64))
        })
    }
}
