//! The stream to control, and what comes of it: updates are applied to the live table and kept.
//!
//! Two threads of its own, apart from those that serve: one speaks with control (a small runtime around the pure
//! [`crate::core::sync::subscription`]), the other applies updates, swaps the live table and writes the memory. It does not route a request.

pub mod applier;
mod apply;
pub mod command;
pub mod driver;
mod pace;
mod probe;
mod serving;
mod stream;
pub mod translate;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
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
use crate::core::request::registry::Registry;
use crate::core::sync::snapshot_cache::SnapshotCache;
pub use crate::core::sync::subscription::{ContentRefusal, RETRY_ALONE};
pub use translate::Identity;

/// How long everything may take to be written before a handover.
const PAUSE: Duration = Duration::from_secs(10);

/// What the stream needs to know and to have.
pub struct SyncConfig {
    /// The control servers, in order of preference; at least one.
    pub servers: Vec<ControlAddress>,
    /// Who this is.
    pub node: NodeName,
    /// Whose view this node gets.
    pub group: GroupName,
    /// What this node takes.
    pub limits: Limits,
    /// This release.
    pub proxy_version: String,
    /// What is told of the traffic.
    pub counters: Arc<dyn Counters>,
    /// What is remembered between runs: [`crate::cache::Cache`] outside tests.
    pub memory: Box<dyn SnapshotCache>,
    /// How long this proxy is without control before it tries a suspect content once more: between these two, drawn.
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

/// How it stands with control and with the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncStatus {
    /// The server whose stream is open and welcomed this proxy.
    pub connected: Option<ControlAddress>,
    /// Control has welcomed this proxy at least once since it started.
    pub first_contact: bool,
    /// What serves.
    pub running: Option<Version>,
    /// The newest version that is safe on disk.
    pub persisted: Option<Version>,
    /// Contents that this proxy will not run, newest last, and why.
    pub refused: Vec<ContentRefusal>,
    /// What is wrong, in words: a file set aside, a full disk, a foreign control. Empty where nothing is.
    pub troubles: Vec<String>,
}

/// The stream at work. Ends with [`SyncHandle::shutdown`], or when dropped.
#[derive(Debug)]
pub struct SyncHandle {
    status: watch::Receiver<SyncStatus>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    writer: Writer,
}

/// The thread that writes what is remembered, for a handover.
#[derive(Clone, Debug)]
pub struct Writer {
    jobs: std::sync::mpsc::Sender<command::Command>,
    stop: watch::Sender<bool>,
}

/// The writes are paused. Dropped, they go on.
#[derive(Debug)]
pub struct Paused {
    give: std::sync::mpsc::Sender<bool>,
    stop: watch::Sender<bool>,
}

impl Writer {
    /// Has everything written down as at an end, so that a successor finds it, and no more. `None`: that did not come within 10 s.
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
    /// The successor writes from here on. The stream to control ends too.
    pub fn give(self) {
        self.stop.send_replace(true);
        // A writer that is gone writes nothing either.
        let _ = self.give.send(true);
    }
}

impl SyncHandle {
    /// How it stands, now and after each change.
    pub fn status(&self) -> watch::Receiver<SyncStatus> {
        self.status.clone()
    }

    /// The thread that writes what is remembered.
    pub fn writer(&self) -> Writer {
        self.writer.clone()
    }

    /// The clean exit: lets go of the stream, keeps what is not kept yet, remembers that the process ended as it should. Waits for it
    /// (usually a few milliseconds, at most a few seconds where disk or control are slow).
    pub fn shutdown(&self) {
        self.writer.stop.send_replace(true);
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            if thread.join().is_err() {
                error!("a thread of the stream ended by a panic");
            }
            // The stream has said so to the writer, unless it ended by a panic.
            let _ = self.writer.jobs.send(command::Command::Leave);
        }
    }
}

/// Publishes the newest snapshot that the memory has, if any, then starts to speak with control. When this returns, the cached snapshot
/// serves.
///
/// # Errors
/// Where the system gives no threads or no runtime.
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
        proxy_version,
        counters,
        memory,
        retry_alone,
    } = config;
    let mut applier = applier::Applier::new(
        memory,
        Arc::clone(&live),
        registry,
        limits,
        news,
        Instant::now(),
    );
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
