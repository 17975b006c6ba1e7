//! The application: assembles the adapters and runs them until a signal.

mod check;
mod opened;
mod ports;
mod roster;
mod signals;
mod store;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use aralez_proto::main_config::{ControlAddress, FailureRate, MainConfig, Owner};
use aralez_runtime::main_file::MainFile;
use aralez_runtime::pid_file::PidFile;
use aralez_runtime::reread::Reread;
use aralez_runtime::signals::Signals;
use aralez_runtime::{open_files, state, supervised, telemetry, token};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::api::{self, ApiParts};
use crate::args::{Args, Offline};
use crate::core::descriptors::Descriptors;
use crate::core::hold::HOLD;
use crate::core::session::Pace;
use crate::core::source::Source;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::publisher::{CHECKPOINT, SETTLING};
use crate::settings::ControlSettings;
use crate::source::file::{MainConfigFile, WRITER_PATIENCE};
use crate::stream::{self, ControlSocket, Hub, HubParts};
use opened::OpenState;

/// Maximum number of runtime threads. Control waits more than it computes.
const MAX_WORKERS: usize = 2;
/// Time for blocking work to finish at the exit.
const LAST_WORK: Duration = Duration::from_secs(2);

/// Runs control until a signal stops it; with `-t`, checks everything and returns. `sources` run in addition to those of `main.yaml`.
///
/// # Errors
/// The failure that prevents it from starting or running, as one line with its place.
pub fn run(args: &Args, sources: Vec<Box<dyn Source>>) -> Result<()> {
    if let Some(Offline::Store { verb }) = &args.offline {
        return store::run(verb);
    }
    let signals = Signals::register().context("cannot install signal handlers")?;
    let (file, main) = MainFile::open(args.config.as_deref())?;
    let jwt_key = token::environment_key()?;
    let mut settings = ControlSettings::of(&main, &state::default_dir(), jwt_key);
    let main_config = MainConfigFile::new(args.config.as_deref());
    if args.test {
        return check::check(&main, &settings, main_config);
    }
    if args.exit_with_parent {
        // The original paths belong to the supervisor.
        let own = |path: PathBuf| supervised::own_file(&path, "control");
        settings.error_log = settings.error_log.map(own);
        settings.pid_file = settings.pid_file.map(own);
    }
    let log = telemetry::init(settings.log_level, settings.error_log.as_deref())?;
    let reread = Reread::new(file, log, Owner::Control);
    // Each proxy needs a file descriptor.
    let limit = open_files::raise();
    let room = Descriptors::share(limit, settings.max_api_connections);
    log_config_warnings(&main, &settings);
    let (leave, leaving) = watch::channel(false);
    if args.exit_with_parent {
        let leave = leave.clone();
        supervised::on_parent_exit(move || {
            info!("supervisor exited: stopping");
            leave.send_replace(true);
        })
        .context("cannot watch the supervisor")?;
    }
    let (enabled, is_enabled) = watch::channel(settings.config_api_enabled);
    let (failures, counted) = watch::channel(settings.auth_failures);
    signals::obey(signals, reread, (enabled, failures), leave)?;
    let parts = Servers {
        times: Times::of(args),
        room,
        enabled: is_enabled,
        failures: counted,
        sources,
        main_config,
    };
    let runtime = runtime()?;
    let served = runtime.block_on(serve(&settings, parts, leaving));
    runtime.shutdown_timeout(LAST_WORK);
    served
}

/// Dependencies of the servers, in addition to the settings.
struct Servers {
    times: Times,
    room: Descriptors,
    /// Whether the config API is enabled now (`config_api_enabled`).
    enabled: watch::Receiver<bool>,
    /// The number of wrong keys that an address may send now (`auth_failures`).
    failures: watch::Receiver<FailureRate>,
    /// Sources in addition to the files.
    sources: Vec<Box<dyn Source>>,
    /// The main configuration file, which documents may not name.
    main_config: MainConfigFile,
}

/// Durations that tests shorten.
struct Times {
    hold: Duration,
    writer_patience: Duration,
    settling: Duration,
    checkpoint: Duration,
    pace: Pace,
}

impl Times {
    fn of(args: &Args) -> Self {
        let mut pace = Pace::default();
        if let Some(ms) = args.heartbeat_ms {
            pace.heartbeat = Duration::from_millis(ms);
        }
        if let Some(ms) = args.retry_suspects_ms {
            pace.retry_suspects = Duration::from_millis(ms);
        }
        Self {
            hold: args.hold_ms.map_or(HOLD, Duration::from_millis),
            writer_patience: args
                .writer_patience_ms
                .map_or(WRITER_PATIENCE, Duration::from_millis),
            settling: args.settling_ms.map_or(SETTLING, Duration::from_millis),
            checkpoint: args.checkpoint_ms.map_or(CHECKPOINT, Duration::from_millis),
            pace,
        }
    }
}

fn runtime() -> Result<Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.min(MAX_WORKERS))
        .thread_name("control")
        .enable_all()
        .build()
        .context("cannot start the runtime")
}

fn log_config_warnings(main: &MainConfig, settings: &ControlSettings) {
    for idle in &main.idle {
        warn!("{idle}");
    }
    for warning in &settings.warnings {
        warn!("{warning}");
    }
    if settings.master_key.is_none() {
        warn!(
            "main.yaml has no master_key: the config API refuses every push, and issues no tokens"
        );
    }
}

async fn serve(
    settings: &ControlSettings,
    parts: Servers,
    leaving: watch::Receiver<bool>,
) -> Result<()> {
    let times = parts.times;
    // First, since it acquires the lock of the state folder.
    let ledger = Ledger::open(&settings.control_dir())?;
    let address = settings.config_address;
    let listener = bind_api(address).await?;
    let ControlAddress::Unix(path) = &settings.control_address;
    let socket = ControlSocket::bind(path)?;
    let pid_file = settings.pid_file.as_deref();
    let _pid_file = pid_file.map(PidFile::write).transpose()?;
    let opened = OpenState::open(settings, ledger, &times, parts.main_config)?;
    let following = opened.follow(settings, times.writer_patience, parts.sources)?;
    let (publisher, fleet) = (opened.publisher.clone(), opened.fleet.clone());
    let settling = publisher.clone();
    tokio::spawn(async move { settling.settle().await });

    let metrics = Arc::new(Metrics::default());
    let hub = hub(&opened, metrics.clone(), times.pace, leaving.clone());
    let api = ApiParts {
        commits: Arc::new(publisher.clone()),
        views: publisher.views(),
        documents: publisher.source_status(),
        sources: publisher.sources(),
        fleet: fleet.clone(),
        commands: hub.clone(),
        observer: metrics.clone(),
        metrics: ports::metrics_text(metrics, publisher.clone(), fleet.clone()),
        cluster: publisher.cluster_id(),
        enabled: parts.enabled,
        failures: parts.failures,
        key: settings.master_key.clone(),
        token_key: settings.token_key.clone(),
        address: listener.local_addr().unwrap_or(address),
        max_connections: parts.room.api,
    };
    info!(api = %api.address, stream = %path.display(), revision = publisher.views().borrow().version().revision, "control started");
    tokio::spawn(hub.clone().follow());
    let checkpoint = opened.keep(times.checkpoint, leaving.clone());
    let roster = tokio::spawn(roster::keep(publisher, fleet, leaving.clone()));
    let most = parts.room.streams;
    let streams = tokio::spawn(stream::serve(socket, most, hub, leaving.clone()));
    let api = tokio::spawn(api::serve(listener, api, leaving.clone()));
    let ended = run_to_the_end(leaving, streams, api).await;
    drop(following);
    // Both tasks finish with the streams. A hanging disk must not delay the exit for longer than this.
    let kept = async { tokio::join!(roster, checkpoint) };
    let _ = tokio::time::timeout(LAST_WORK, kept).await;
    ended
}

fn hub(
    opened: &OpenState,
    metrics: Arc<Metrics>,
    pace: Pace,
    leaving: watch::Receiver<bool>,
) -> Arc<Hub> {
    let parts = HubParts {
        cluster: opened.publisher.cluster_id(),
        views: opened.publisher.views(),
        history: Arc::new(opened.publisher.clone()),
        fleet: opened.fleet.clone(),
        observer: metrics,
        pace,
        leaving,
    };
    Hub::new(parts, Instant::now())
}

async fn bind_api(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("config_address: cannot listen on {address}"))
}

/// Waits for a shutdown request, then for both servers to shut down. Returns early if a server fails.
async fn run_to_the_end(
    mut leaving: watch::Receiver<bool>,
    streams: impl Future<Output = Result<Result<(), tonic::transport::Error>, tokio::task::JoinError>>,
    api: impl Future<Output = Result<(), tokio::task::JoinError>>,
) -> Result<()> {
    let streams = async { streams.await?.context("the control socket failed") };
    let api = async { api.await.context("the config API failed") };
    tokio::pin!(streams, api);
    let told = async { drop(leaving.wait_for(|leaving| *leaving).await) };
    tokio::select! {
        // On shutdown both servers also finish; that must not be reported as a failure.
        biased;
        () = told => {}
        ended = &mut streams => return ended,
        ended = &mut api => return ended,
    }
    let (streams, api) = tokio::join!(streams, api);
    info!("control stopped");
    streams.and(api)
}
