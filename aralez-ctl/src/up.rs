//! `up`: runs both daemons on this machine, from a file, for one endpoint, or with a sample site.

mod files;
mod hint;
mod site;

use std::path::PathBuf;

use aralez_runtime::lock::InstanceLock;
use aralez_runtime::{state, telemetry};

use crate::args::Up;
use crate::exit::Failure;
use crate::output;
use crate::supervisor::{self, Addresses, Plan};

use files::Generated;
use hint::Hint;

/// Runs the verb.
pub(crate) async fn run(up: Up) -> Result<(), Failure> {
    let ready = prepare(&up)?;
    let Prepared {
        plan,
        hint,
        sample,
        lock: _lock,
    } = ready;
    let level = plan.config.log_level;
    let log = telemetry::init(level, None).map_err(|error| Failure::refused(error.to_string()))?;
    let announce = || output::say(&hint.to_string());
    match sample {
        None => supervisor::run(plan, log, announce).await,
        Some(listener) => {
            let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| {
                Failure::refused(format!("cannot serve the sample site: {error}"))
            })?;
            tokio::select! {
                ended = supervisor::run(plan, log, announce) => ended,
                () = site::serve(listener) => Ok(()),
            }
        }
    }
}

/// Everything that `up` prepares before it starts the daemons.
#[derive(Debug)]
struct Prepared {
    plan: Plan,
    hint: Hint,
    sample: Option<std::net::TcpListener>,
    /// Held while the daemons run.
    lock: Option<InstanceLock>,
}

fn prepare(up: &Up) -> Result<Prepared, Failure> {
    if let Some(main) = &up.config {
        return from_main_yaml(main.clone());
    }
    let state = up.state_dir.clone().unwrap_or_else(state::default_dir);
    let generated = match &up.to {
        Some(to) => files::for_endpoint(&state, to, up.host.as_deref(), up.listen),
        None => files::for_sample(&state, up.listen),
    };
    let Generated {
        main,
        upstreams,
        key,
        sample,
        lock,
    } = generated.map_err(Failure::refused)?;
    let ready = from_main_yaml(main)?;
    let hint = Hint {
        upstreams: Some(upstreams),
        key: Some(key),
        host: up.host.clone(),
        sample: sample.is_some(),
        ..ready.hint
    };
    Ok(Prepared {
        hint,
        sample,
        lock: Some(lock),
        ..ready
    })
}

/// Prepares a run from an existing `main.yaml`.
fn from_main_yaml(main: PathBuf) -> Result<Prepared, Failure> {
    let plan = Plan::read(main)?;
    let config = &plan.config;
    let hint = Hint {
        addresses: Addresses::of(config),
        state: config.state_dir.clone().unwrap_or_else(state::default_dir),
        main: plan.main.clone(),
        upstreams: config.upstreams_conf.clone(),
        key: None,
        host: None,
        sample: false,
    };
    Ok(Prepared {
        plan,
        hint,
        sample: None,
        lock: None,
    })
}
