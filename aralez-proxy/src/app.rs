//! Composition: what is built in which order, and how it ends.

use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use aralez_proto::main_config::{self, MainConfig};

use crate::args::Args;
use crate::core::traffic::Traffic;
use crate::drain::{self, Phases, Signals};
use crate::service::server::{Options, Server};
use crate::settings::Settings;
use crate::{admin, metrics, service};

/// Runs the daemon until it is told to leave.
///
/// # Errors
/// Whatever keeps it from starting, as one line.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = load(args.config.as_deref())?;
    let root = config
        .state_dir
        .clone()
        .unwrap_or_else(|| PathBuf::from("/var/lib/aralez"));
    let node = config.node_id.clone().map_or_else(|| "node".parse(), Ok)?;
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let settings = Settings::new(&config, &root, node, cores);
    if args.test {
        return Ok(());
    }
    serve(&settings)
}

fn load(path: Option<&Path>) -> anyhow::Result<MainConfig> {
    let Some(path) = path else {
        return Ok(MainConfig::default());
    };
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(main_config::read(&path.display().to_string(), &text)?)
}

fn serve(settings: &Settings) -> anyhow::Result<()> {
    let listeners = settings
        .http
        .iter()
        .map(|address| listen(*address))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let admin_listener = listen(settings.admin)?;
    let traffic = Arc::new(Traffic::default());
    let shown = admin::Shown {
        traffic: Arc::clone(&traffic),
        registry: metrics::registry(Arc::clone(&traffic)),
    };
    admin::spawn(admin_listener, shown).context("cannot start the admin endpoint")?;
    let engine = service::Engine::new(Arc::clone(&traffic));
    let options = Options {
        listeners,
        threads: settings.threads,
        pool_size: settings.pool_size,
        h2c: false,
    };
    let mut server = Server::start(engine, options).context("cannot start the engine")?;
    let phases = Phases {
        lame_duck: settings.lame_duck,
        grace_period: settings.grace_period,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut signals = Signals::listen().context("cannot listen for signals")?;
        signals.next().await;
        drain::drain(&traffic, phases, || server.close(), signals.next()).await;
        anyhow::Ok(())
    })?;
    server.stop();
    Ok(())
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        let reason = match error.kind() {
            std::io::ErrorKind::AddrInUse => "address in use".to_owned(),
            std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        anyhow::anyhow!("cannot listen on {address}: {reason}")
    })
}
