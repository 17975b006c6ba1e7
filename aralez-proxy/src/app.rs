//! Composition: builds the process in order, and shuts it down.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use aralez_proto::main_config::{MainConfig, Owner};
use aralez_runtime::main_file::MainFile;
use aralez_runtime::pid_file::PidFile;
use aralez_runtime::reread::Reread;
use aralez_runtime::signals::Signals;
use aralez_runtime::{private, random, state, supervised, telemetry};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::args::Args;
use crate::cache::{Cache, ExitNotes};
use crate::core::admission::{Admission, Most};
use crate::core::counters::Counters;
use crate::core::live::Live;
use crate::core::request::credentials::CredentialMemory;
use crate::core::request::limiter::Limiter;
use crate::core::traffic::Traffic;
use crate::engine::limit_clock::LimitClock;
use crate::engine::password_checks::PasswordChecks;
use crate::engine::server::{Options, Server};
use crate::engine::threads::context::Engine;
use crate::settings::Settings;
use crate::sync::{self, SyncConfig, SyncStatus};
use crate::{activation, admin, metrics};
use life::ServingProcess;
use start::StartState;

mod accepting;
mod descriptors;
mod ending;
mod files;
mod life;
mod listeners;
mod node;
mod process;
mod pseudonym;
mod signals;
mod start;
mod sweeping;

/// Runs the daemon until it is asked to exit. With `-t` only checks the configuration.
///
/// # Errors
/// The reason why the daemon cannot start, on one line.
pub fn run(args: &Args) -> anyhow::Result<()> {
    // Must precede anything that opens files: the passed descriptors have fixed numbers.
    let activated = activation::take()?;
    let signals = Signals::register().context("cannot install signal handlers")?;
    let (file, config) = MainFile::open(args.config.as_deref())?;
    let root = config.state_dir.clone().unwrap_or_else(state::default_dir);
    let chosen = node::NodeChoice::find(config.node_id.as_ref(), &root)?;
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut settings = Settings::new(&config, &root, chosen.name.clone(), cores);
    refuse_background(&config, args.exit_with_parent)?;
    if args.record_exit {
        return ending::record(&settings.state_dir);
    }
    if let Some(cluster) = &args.accept_cluster {
        return accepting::accept(&settings, cluster);
    }
    files::settle(&mut settings, &config, &file)?;
    if args.test {
        return Ok(());
    }
    // The supervisor itself uses the configured log and PID files, so a supervised proxy uses `FILE.proxy`.
    let own = |path: &PathBuf| match args.exit_with_parent {
        true => supervised::own_file(path, "proxy"),
        false => path.clone(),
    };
    let log_file = config.error_log.as_ref().map(own);
    let log = telemetry::init(config.log_level, log_file.as_deref())?;
    private::ensure_dir(&root).with_context(|| format!("cannot use {}", root.display()))?;
    chosen.keep(&root)?;
    let dir = &settings.state_dir;
    private::ensure_dir(dir).with_context(|| format!("cannot use {}", dir.display()))?;
    let begun = StartState::new(&settings, activated, args.upgrade)?;
    tell_idle_keys(&config);
    files::tell_missing_folders(&settings);
    descriptors::fit(&mut settings)?;
    let exits = Arc::new(ExitNotes::new(settings.state_dir.clone()));
    let pid_file = config.pid_file.as_ref().map(own);
    let reread = Reread::new(file, log, Owner::Proxy);
    ending::noted(&exits, || {
        let parts = Running {
            pid_file: pid_file.as_deref(),
            begun,
            signals,
            reread,
        };
        serve(&settings, args, &exits, parts)
    })
}

/// Refuses `daemon: true` without a supervisor. With one, the key applies to the supervisor.
fn refuse_background(config: &MainConfig, supervised: bool) -> anyhow::Result<()> {
    anyhow::ensure!(
        supervised || !config.daemon,
        "daemon: true is not supported for a single daemon in this release; use systemd, or `aralez` to run all daemons"
    );
    Ok(())
}

fn tell_idle_keys(config: &MainConfig) {
    for idle in &config.idle {
        warn!("{idle}");
    }
    if config.runuser.is_some() || config.rungroup.is_some() {
        warn!("runuser and rungroup are not supported in this release: the user is unchanged");
    }
}

/// The parts of the process that exist before it serves.
struct Running<'a> {
    pid_file: Option<&'a Path>,
    begun: StartState,
    signals: Signals,
    reread: Reread,
}

fn serve(
    settings: &Settings,
    args: &Args,
    exits: &Arc<ExitNotes>,
    parts: Running<'_>,
) -> anyhow::Result<()> {
    let Running {
        pid_file,
        mut begun,
        signals,
        reread,
    } = parts;
    // From here on a termination signal goes through the drain, which records the exit first: a content is on trial from the moment it is
    // published, and must not be blamed for a regular exit.
    let credentials = CredentialMemory::new(random::bytes(), settings.auth_failures);
    let credentials = Arc::new(credentials);
    let rates = Arc::clone(&credentials);
    let (mut asks, phases) = signals::obey(signals, reread, settings.phases, rates)?;
    let traffic = Arc::new(Traffic::default());
    process::count_panics(traffic.tally(), Arc::clone(exits));

    let live = Arc::new(Live::new(Instant::now()));
    // The cache comes first: once this returns, the first request finds the configuration that was served before.
    let sync = sync::spawn(
        subscription(settings, args, &traffic, exits),
        Arc::clone(&live),
        Arc::default(),
    )
    .context("cannot start the stream to control")?;
    let limiter = Arc::<Limiter<LimitClock>>::default();
    let shown = shown(settings, &live, (&traffic, &limiter), sync.status());
    begun.expect_live(&sync, &mut asks)?;
    let (taken_over, successor) = watch::channel(false);
    let admin = begun.listeners.admin.try_clone()?;
    admin::spawn(admin, shown, successor).context("cannot start the admin endpoint")?;
    let options = Options {
        listeners: std::mem::take(&mut begun.listeners.http),
        threads: settings.threads,
    };
    let engine = engine(settings, &live, &traffic, (&limiter, credentials))?;
    let _sweeping = sweeping::spawn(limiter).context("cannot start the sweep of limits")?;
    let mut server = Server::start(engine, options).context("cannot start the engine")?;
    info!(node = %settings.node, group = %settings.group, http = ?settings.http, admin = %settings.admin, "serving");
    let took_over = begun.serving()?;
    let _pid_file = match pid_file.map(PidFile::write).transpose() {
        Err(error) if took_over => {
            warn!("{error}");
            None
        }
        written => written?,
    };
    let serving = ServingProcess {
        lock: begun.lock,
        admin: begun.listeners.admin,
        writer: sync.writer(),
        live,
        traffic: &traffic,
        server: &mut server,
        taken_over,
        exits,
    };
    let end = serving.until_end(settings, (asks, phases), args.exit_with_parent);
    sync.shutdown();
    server.stop();
    end
}

fn engine(
    settings: &Settings,
    live: &Arc<Live>,
    traffic: &Arc<Traffic>,
    (limiter, credentials): (&Arc<Limiter<LimitClock>>, Arc<CredentialMemory>),
) -> anyhow::Result<Engine> {
    Ok(Engine {
        started: Instant::now(),
        live: Arc::clone(live),
        node: pseudonym::load(&settings.state_dir),
        traffic: Arc::clone(traffic),
        tls_port: settings.tls_port,
        file_roots: settings.file_roots.clone(),
        file_server: files::server(settings)?,
        limits: settings.client,
        pool: settings.pool,
        admission: Arc::new(Admission::new(most(settings), Instant::now())),
        limiter: Arc::clone(limiter),
        credentials,
        password_checks: PasswordChecks::default(),
    })
}

fn most(settings: &Settings) -> Most {
    Most {
        global: settings.client.connections.map(NonZeroUsize::get),
        listener: settings
            .client
            .connections_per_listener
            .map(NonZeroUsize::get),
        address: settings
            .client
            .connections_per_address
            .map(NonZeroUsize::get),
        descriptors: settings.descriptors,
    }
}

fn subscription(
    settings: &Settings,
    args: &Args,
    traffic: &Arc<Traffic>,
    exits: &Arc<ExitNotes>,
) -> SyncConfig {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let counters: Arc<dyn Counters> = Arc::<Traffic>::clone(traffic);
    SyncConfig {
        servers: settings.control_servers.clone(),
        node: settings.node.clone(),
        group: settings.group.clone(),
        limits: settings.limits,
        file_roots: settings.file_roots.clone(),
        proxy_version: version.clone(),
        counters,
        cache: Box::new(Cache::with_exits(
            settings.state_dir.clone(),
            version,
            Arc::clone(exits),
            ending::told(),
        )),
        retry_alone: args.retry_alone(),
    }
}

fn shown(
    settings: &Settings,
    live: &Arc<Live>,
    (traffic, limiter): (&Arc<Traffic>, &Arc<Limiter<LimitClock>>),
    sync: watch::Receiver<SyncStatus>,
) -> admin::Shown {
    let counted = Arc::clone(limiter);
    let observed = metrics::Observed {
        traffic: Arc::clone(traffic),
        live: Arc::clone(live),
        limit_keys: Box::new(move || counted.keys()),
        connected: Box::new(move || sync.borrow().connected.is_some()),
    };
    admin::Shown {
        node: settings.node.clone(),
        live: Arc::clone(live),
        traffic: Arc::clone(traffic),
        registry: metrics::registry(observed),
    }
}
