//! The app: puts adapters together and runs them until a signal.

mod check;
mod roster;
mod signals;
mod store;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result};
use aralez_proto::main_config::{ControlAddress, MainConfig, Owner};
use aralez_proto::model::GroupName;
use aralez_proto::version::Version;
use aralez_runtime::main_file::MainFile;
use aralez_runtime::pid_file::PidFile;
use aralez_runtime::reread::Reread;
use aralez_runtime::signals::Signals;
use aralez_runtime::{open_files, state, supervised, telemetry};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::api::{self, ApiParts, BackingUp, Commits, Committing, Releasing};
use crate::args::{Args, Offline};
use crate::checkpoint::CheckpointFile;
use crate::core::checkpoint::Checkpoint;
use crate::core::commit::{Proposal, TakeFiles};
use crate::core::descriptors::Descriptors;
use crate::core::fleet::SharedFleet;
use crate::core::hold::{HOLD, HoldId};
use crate::core::layers::Discovered;
use crate::core::observer::Observer;
use crate::core::session::Pace;
use crate::core::source::Source;
use crate::core::store::{FilesOnDisk, MainFile as DocumentFile, RevisionInfo, Store};
use crate::ledger::Ledger;
use crate::metrics::{Metrics, Reading};
use crate::publisher::{self, CHECKPOINT, Publisher, SETTLING};
use crate::settings::ControlSettings;
use crate::source::file::{FileSource, MainDocument, WRITER_PATIENCE, Writers};
use crate::stream::{self, ControlSocket, History, Hub, HubParts, Recalling, Rising};

/// Threads of the runtime at most. Control waits more than it works.
const MAX_WORKERS: usize = 2;
/// How long what still runs on other threads may take at the end.
const LAST_WORK: Duration = Duration::from_secs(2);

/// Runs control until it is told to leave, or checks everything and leaves. `sources` look beside those that `main.yaml` asks for.
///
/// # Errors
/// What keeps it from starting or running, in one line with what and where.
pub fn run(args: &Args, sources: Vec<Box<dyn Source>>) -> Result<()> {
    if let Some(Offline::Store { verb }) = &args.offline {
        return store::run(verb);
    }
    let signals = Signals::take().context("cannot take signals over")?;
    let (file, main) = MainFile::open(args.config.as_deref())?;
    let mut settings = ControlSettings::of(&main, &state::default_dir())?;
    if args.test {
        return check::check(&main, &settings);
    }
    if args.exit_with_parent {
        // Under these names they are the supervisor's.
        let own = |path: PathBuf| supervised::own_file(&path, "control");
        settings.error_log = settings.error_log.map(own);
        settings.pid_file = settings.pid_file.map(own);
    }
    let log = telemetry::init(settings.log_level, settings.error_log.as_deref())?;
    let reread = Reread::new(file, log, Owner::Control);
    // Each proxy needs one.
    let limit = open_files::raise();
    let room = Descriptors::share(limit, settings.max_api_connections);
    warn_of_what_is_idle(&main, &settings);
    let (leave, leaving) = watch::channel(false);
    if args.exit_with_parent {
        let leave = leave.clone();
        supervised::on_parent_exit(move || {
            info!("the supervisor is gone");
            leave.send_replace(true);
        })
        .context("cannot watch the supervisor")?;
    }
    let (enabled, is_enabled) = watch::channel(settings.config_api_enabled);
    signals::obey(signals, reread, enabled, leave)?;
    let parts = Parts {
        times: Times::of(args),
        room,
        enabled: is_enabled,
        sources,
    };
    let runtime = runtime()?;
    let served = runtime.block_on(serve(&settings, parts, leaving));
    runtime.shutdown_timeout(LAST_WORK);
    served
}

/// What control is put together with beside its settings.
struct Parts {
    times: Times,
    room: Descriptors,
    /// `config_api_enabled`, now.
    enabled: watch::Receiver<bool>,
    /// What looks beside the files.
    sources: Vec<Box<dyn Source>>,
}

/// What tests make shorter.
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

fn warn_of_what_is_idle(main: &MainConfig, settings: &ControlSettings) {
    for idle in &main.idle {
        warn!("{idle}");
    }
    for warning in &settings.warnings {
        warn!("{warning}");
    }
    if settings.master_key.is_none() {
        warn!("main.yaml has no master_key: nothing can be pushed over the config API");
    }
}

async fn serve(
    settings: &ControlSettings,
    parts: Parts,
    leaving: watch::Receiver<bool>,
) -> Result<()> {
    // First, for it holds the lock of the state folder.
    let ledger = Ledger::open(&settings.control_dir())?;
    let address = settings.config_address;
    let listener = bind_api(address).await?;
    let ControlAddress::Unix(path) = &settings.control_address;
    let socket = ControlSocket::bind(path)?;
    let pid_file = settings.pid_file.as_deref();
    let _pid_file = pid_file.map(PidFile::write).transpose()?;
    let writers = Writers::default();
    let fleet = SharedFleet::default();
    // Before the publisher opens the head, whose proof waits for them.
    roster::recall(&ledger, &fleet);
    let (key, cluster) = (ledger.seal_key(), ledger.cluster_id());
    let mut checkpoint = CheckpointFile::new(&settings.control_dir(), key, cluster);
    let begun = Begun {
        fleet: fleet.clone(),
        discovered: checkpoint.read(),
    };
    let kept = begun.discovered.clone();
    let publisher = open_publisher(settings, ledger, begun, &parts.times, &writers)?;
    let files = files(settings, &publisher, writers, &parts.times);
    let sources = files.into_iter().chain(parts.sources).collect();
    let following = publisher.follow(sources).map_err(Error::msg)?;
    let settling = publisher.clone();
    tokio::spawn(async move { settling.settle().await });

    let metrics = Arc::new(Metrics::default());
    let observer: Arc<dyn Observer> = metrics.clone();
    let hub = Hub::new(
        HubParts {
            cluster: publisher.cluster_id(),
            views: publisher.views(),
            history: Arc::new(publisher.clone()),
            fleet: fleet.clone(),
            observer: Arc::clone(&observer),
            pace: parts.times.pace,
            leaving: leaving.clone(),
        },
        Instant::now(),
    );
    let api = ApiParts {
        commits: Arc::new(publisher.clone()),
        views: publisher.views(),
        documents: publisher.source_status(),
        sources: publisher.sources(),
        fleet: fleet.clone(),
        commands: hub.clone(),
        observer,
        metrics: metrics_text(metrics, publisher.clone(), fleet.clone()),
        cluster: publisher.cluster_id(),
        enabled: parts.enabled,
        key: settings.master_key.clone(),
        address: listener.local_addr().unwrap_or(address),
        max_connections: parts.room.api,
    };
    info!(api = %api.address, stream = %path.display(), revision = publisher.views().borrow().version().revision, "control serves");
    tokio::spawn(hub.clone().follow());
    let (keeper, ends) = (publisher.clone(), leaving.clone());
    let every = parts.times.checkpoint;
    let checkpoint = Box::new(checkpoint);
    let checkpoint =
        tokio::spawn(async move { keeper.keep_discovered(checkpoint, kept, every, ends).await });
    let roster = tokio::spawn(roster::keep(publisher, fleet, leaving.clone()));
    let streams = tokio::spawn(stream::serve(
        socket,
        parts.room.streams,
        hub,
        leaving.clone(),
    ));
    let api = tokio::spawn(api::serve(listener, api, leaving.clone()));
    let ended = run_to_the_end(leaving, streams, api).await;
    drop(following);
    // It ends with the streams; a disk that hangs holds nobody up.
    let kept = async { tokio::join!(roster, checkpoint) };
    let _ = tokio::time::timeout(LAST_WORK, kept).await;
    ended
}

async fn bind_api(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("config_address: cannot listen on {address}"))
}

/// Runs until control is told to leave or a server fails, then waits until both servers have shut down.
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
        // On shutdown both servers end too; that must not look like a failure.
        biased;
        () = told => {}
        ended = &mut streams => return ended,
        ended = &mut api => return ended,
    }
    let (streams, api) = tokio::join!(streams, api);
    info!("control leaves");
    streams.and(api)
}

/// What control begins with beside the ledger.
struct Begun {
    fleet: SharedFleet,
    discovered: Discovered,
}

fn open_publisher(
    settings: &ControlSettings,
    ledger: Ledger,
    begun: Begun,
    times: &Times,
    writers: &Writers,
) -> Result<Publisher> {
    let path = settings.upstreams_conf.clone();
    let document = path.map(|path| MainDocument::new(path, writers.clone()));
    let main_file = document
        .clone()
        .map(|it| Box::new(it) as Box<dyn DocumentFile>);
    let files = document.map(|it| Box::new(it) as Box<dyn FilesOnDisk>);
    let parts = publisher::Parts {
        store: Box::new(ledger),
        main_file,
        files,
        heads: Arc::new(begun.fleet),
        discovered: begun.discovered,
        surroundings: settings.surroundings(),
        hold: times.hold,
        settling: times.settling,
    };
    Publisher::open(parts).with_context(|| format!("{}", settings.control_dir().display()))
}

/// The source of the files; `None` where `main.yaml` names none.
fn files(
    settings: &ControlSettings,
    publisher: &Publisher,
    writers: Writers,
    times: &Times,
) -> Option<Box<dyn Source>> {
    let Some(path) = &settings.upstreams_conf else {
        info!("no upstreams_conf: configuration comes over the config API alone");
        return None;
    };
    let known = publisher.known_files();
    let files = FileSource::new(path, known, writers, times.writer_patience);
    Some(Box::new(files))
}

fn metrics_text(
    metrics: Arc<Metrics>,
    publisher: Publisher,
    fleet: SharedFleet,
) -> Arc<dyn Fn() -> String + Send + Sync> {
    let views = publisher.views();
    let documents = publisher.source_status();
    Arc::new(move || {
        let figures = publisher.figures();
        let reading = Reading {
            head: views.borrow().version(),
            commits: figures.commits,
            refused: figures.refused,
            held: figures.held,
            files_held: documents.borrow().held.is_some(),
            files_writing: documents.borrow().writing,
            parse: Duration::from_millis(figures.parse_ms),
            lower: Duration::from_millis(figures.lower_ms),
            write: Duration::from_millis(figures.commit_ms),
        };
        let nodes = fleet.lock().counts();
        metrics.render(&reading, &nodes)
    })
}

impl Commits for Publisher {
    fn commit(&self, proposal: Proposal) -> Committing<'_> {
        Box::pin(Self::commit(self, proposal))
    }

    fn release(&self, shown: Option<HoldId>) -> Releasing<'_> {
        Box::pin(Self::release(self, shown))
    }

    fn take_files(&self, take: TakeFiles) -> Committing<'_> {
        Box::pin(Self::take_files(self, take))
    }

    fn backup(&self) -> BackingUp<'_> {
        Box::pin(Self::backup(self))
    }

    fn head(&self) -> Option<RevisionInfo> {
        Self::head(self)
    }
}

impl History for Publisher {
    fn recall(&self, group: GroupName, version: Version) -> Recalling<'_> {
        Box::pin(Self::recall(self, group, version))
    }

    fn go_above(&self, held: Version) -> Rising<'_> {
        Box::pin(Self::go_above(self, held))
    }
}
