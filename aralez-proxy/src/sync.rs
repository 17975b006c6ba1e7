//! The stream to control: updates are applied to the live table and cached on disk.
//!
//! It runs on two threads, separate from those that serve. One speaks with control (a small runtime around the pure
//! [`crate::core::sync::subscription`]), the other applies updates, swaps the live table and writes the cache. Neither routes requests.

pub mod applier;
mod apply;
pub mod command;
pub mod driver;
mod folders;
mod pace;
mod probe;
mod serving;
mod stream;
pub mod translate;

use parking_lot::Mutex;
use std::fmt;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use aralez_proto::main_config::ControlAddress;
use aralez_proto::model::{GroupName, NodeName};
use aralez_proto::snapshot::Limits;
use aralez_proto::version::Version;
use tokio::sync::{mpsc, watch};
use tracing::error;

pub use crate::core::counters::Counters;
use crate::core::live::Live;
use crate::core::request::files::roots::FileRoots;
use crate::core::request::registry::Registry;
use crate::core::sync::snapshot_cache::SnapshotCache;
pub use crate::core::sync::subscription::{ContentRefusal, RETRY_ALONE};
pub use translate::Identity;

/// Maximum time for writing everything before a handover.
const PAUSE: Duration = Duration::from_secs(10);

/// Configuration and dependencies of the stream.
pub struct SyncConfig {
    /// The control servers, in order of preference; at least one.
    pub servers: Vec<ControlAddress>,
    /// The name of this node.
    pub node: NodeName,
    /// The group whose view this node receives.
    pub group: GroupName,
    /// Limits of the snapshots that this node accepts.
    pub limits: Limits,
    /// The folders below which routes may serve files.
    pub file_roots: FileRoots,
    /// The version of this release.
    pub proxy_version: String,
    /// Traffic counters that are reported to control.
    pub counters: Arc<dyn Counters>,
    /// The state kept between runs: [`crate::cache::Cache`] outside tests.
    pub cache: Box<dyn SnapshotCache>,
    /// Minimum and maximum time without control after which this proxy retries a suspect content; the actual time is random.
    pub retry_alone: (Duration, Duration),
}

impl fmt::Debug for SyncConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncConfig")
            .field("servers", &self.servers)
            .field("node", &self.node)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

/// The state of the stream and of the cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncStatus {
    /// The server on whose stream this proxy was welcomed.
    pub connected: Option<ControlAddress>,
    /// Control welcomed this proxy at least once since it started.
    pub first_contact: bool,
    /// The running version.
    pub running: Option<Version>,
    /// The newest version that is safe on disk.
    pub persisted: Option<Version>,
    /// Contents that this proxy refuses to run, with the faults, newest last.
    pub refused: Vec<ContentRefusal>,
    /// Problems as text for an operator: a file set aside, a full disk, a foreign control. Empty if there are none.
    pub troubles: Vec<String>,
}

/// Handle of the running stream. It closes on [`SyncHandle::shutdown`], or when dropped.
#[derive(Debug)]
pub struct SyncHandle {
    status: watch::Receiver<SyncStatus>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    writer: Writer,
}

/// Handle of the thread that writes the cache, for a handover.
#[derive(Clone, Debug)]
pub struct Writer {
    jobs: std::sync::mpsc::Sender<command::Command>,
    stop: watch::Sender<bool>,
}

/// A pause of the cache writes. Writes resume when this is dropped.
#[derive(Debug)]
pub struct Paused {
    give: std::sync::mpsc::Sender<bool>,
    stop: watch::Sender<bool>,
}

impl Writer {
    /// Writes everything as at an exit, for a successor to read, then pauses writes. `None` if that takes more than 10 s.
    pub fn pause(&self) -> Option<Paused> {
        let (written, is_written) = std::sync::mpsc::channel();
        let (give, given) = std::sync::mpsc::channel();
        self.jobs
            .send(command::Command::Pause(command::PauseCommand {
                written,
                given,
            }))
            .ok()?;
        is_written.recv_timeout(PAUSE).ok()?;
        let stop = self.stop.clone();
        Some(Paused { give, stop })
    }
}

impl Paused {
    /// Leaves writing to the successor for good, and closes the stream to control.
    pub fn give(self) {
        self.stop.send_replace(true);
        // If the writer is gone it does not write either.
        let _ = self.give.send(true);
    }
}

impl SyncHandle {
    /// Returns the receiver of the current status and its changes.
    pub fn status(&self) -> watch::Receiver<SyncStatus> {
        self.status.clone()
    }

    /// Returns a handle of the thread that writes the cache.
    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// Shuts down cleanly: closes the stream, writes unsaved state, and records a clean exit. Blocks until done: usually a few
    /// milliseconds, at most a few seconds if the disk or control is slow.
    pub fn shutdown(&self) {
        self.writer.stop.send_replace(true);
        let mut threads = self.threads.lock();
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                error!("a sync thread panicked");
            }
            // The driver sends this itself, unless it panicked.
            let _ = self.writer.jobs.send(command::Command::Leave);
        }
    }
}

/// Publishes the newest cached snapshot, if any, then connects to control. On return the cached snapshot serves.
///
/// # Errors
/// If a thread or the runtime cannot be created.
pub fn spawn(
    config: SyncConfig,
    live: Arc<Live>,
    registry: Arc<Registry>,
) -> std::io::Result<SyncHandle> {
    let (jobs, jobs_in) = std::sync::mpsc::channel();
    let (news, news_in) = mpsc::unbounded_channel();
    let SyncConfig {
        servers,
        node,
        group,
        limits,
        file_roots,
        proxy_version,
        counters,
        cache,
        retry_alone,
    } = config;
    let mut applier = applier::Applier::new(
        cache,
        Arc::clone(&live),
        registry,
        limits,
        news,
        Instant::now(),
    )
    .serving_files_of(file_roots);
    let booted = applier.boot(Instant::now());
    let identity = translate::Identity {
        node: node.to_string(),
        group: group.to_string(),
        proxy_version,
        limits,
        boot_id: booted.boot_id.clone(),
        replaces_boot_id: booted.replaces_boot_id.clone(),
    };
    let (status_out, status) = watch::channel(SyncStatus::default());
    let (stop, stop_in) = watch::channel(false);
    let driver = driver::Driver::new(
        driver::Setup {
            servers,
            identity,
            limits,
            counters,
            live,
            jobs: Box::new(jobs.clone()),
            status: status_out,
        },
        booted,
    );
    let driver = driver.retrying_alone(retry_alone);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let applier_thread = Builder::new()
        .name("apply".to_owned())
        .spawn(move || applier.run(&jobs_in))?;
    let driver = Builder::new()
        .name("stream".to_owned())
        .spawn(move || runtime.block_on(driver.run(news_in, stop_in)))?;
    Ok(SyncHandle {
        status,
        threads: Mutex::new(vec![driver, applier_thread]),
        writer: Writer { jobs, stop },
    })
}
