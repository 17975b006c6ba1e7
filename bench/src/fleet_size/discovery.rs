//! Endpoints come and go all the time: how stale nodes are, and what that costs control.
//!
//! This release has no source that finds endpoints. `scripted-control` is control with one that makes them up (`schedule`).

mod staleness;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aralez_tests::eventually::try_eventually;
use aralez_tests::ports::Port;
use aralez_tests::process::Daemon;
use aralez_tests::proof::Row;
use aralez_tests::scripted_source::schedule::{self, Schedule};
use aralez_tests::scripted_source::{schedule_line, script_beside, write_script};
use aralez_tests::simulator::Simulator;
use aralez_tests::slow::vitals::may_open;

use super::figures::{Cost, Spread};
use super::options::{FleetOptions, Measurement};
use staleness::Staleness;

/// What is promised for the staleness of a node,
const GOAL: Duration = Duration::from_secs(2);
/// and for control, in cores.
const CORES: f64 = 1.0;
/// How long nodes may take to join, or to know the last change.
const PATIENCE: Duration = Duration::from_secs(120);
/// The first change comes so long after everything is ready.
const LEAD: Duration = Duration::from_millis(500);

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Discovery {
    /// From a change to the moment at which a node runs it or a later one: for each node and change.
    pub staleness: Spread,
    /// Control's processor time, as a part of one core.
    pub cores: f64,
    /// Updates that a node applied, for each second.
    pub updates: f64,
    /// How much control's memory grew meanwhile, in bytes.
    pub growth: u64,
}

/// Follows endpoints that come and go.
///
/// # Errors
/// What did not come.
pub async fn measure(options: &FleetOptions) -> Result<Discovery, String> {
    may_open(options.discovery_nodes * 2 + 1_000);
    let folder = tempfile::Builder::new().prefix("aralez-").tempdir();
    let folder = folder.map_err(|error| error.to_string())?;
    let mut schedule = Schedule {
        pools: options.pools,
        rate: options.rate,
        seconds: options.seconds,
        begin: Duration::ZERO,
    };
    let (control, socket, script) = start(folder.path(), &schedule).await?;
    let staleness = Arc::new(Staleness::new(options.discovery_nodes, schedule));
    let mut simulator = Simulator::new(Some(Box::new(Arc::clone(&staleness))));
    let sockets = (0..options.discovery_nodes).map(|_| socket.clone());
    simulator.add_each(sockets, Duration::ZERO).await;
    simulator.all_run(1, PATIENCE).await?;

    schedule.begin = schedule::now() + LEAD;
    staleness.begins(schedule.begin);
    write_script(&script, &schedule_line(&schedule));
    tokio::time::sleep(LEAD).await;
    let (cost, memory) = (Cost::of(control.pid()), control.memory());
    let before = simulator.board().counts().updates;
    tokio::time::sleep(Duration::from_secs(schedule.seconds.into())).await;
    let cores = cost.cores();
    let updates = simulator.board().counts().updates - before;
    let growth = control.memory().saturating_sub(memory);
    let all = || async { staleness.missing() };
    try_eventually(PATIENCE, "all nodes know the last change", all).await?;
    Ok(Discovery {
        staleness: staleness.spread(),
        cores,
        updates: updates as f64 / options.discovery_nodes as f64 / f64::from(schedule.seconds),
        growth,
    })
}

/// Control with the pools of a schedule, the socket where it listens, and its script.
async fn start(folder: &Path, schedule: &Schedule) -> Result<(Daemon, PathBuf, PathBuf), String> {
    let [config, documents, socket] =
        ["control.yaml", "upstreams.yaml", "control.sock"].map(|name| folder.join(name));
    let (api, state) = (Port::free(), folder.join("state"));
    let main = format!(
        "config_address: {}\nupstreams_conf: {}\nstate_dir: {}\ncontrol_address: unix:{}\n",
        api.address(),
        documents.display(),
        state.display(),
        socket.display()
    );
    let script = script_beside(&config);
    write_script(&script, &schedule::first(schedule.pools));
    let written = [
        std::fs::write(&config, main),
        std::fs::write(&documents, schedule::document(schedule.pools)),
    ];
    for written in written {
        written.map_err(|error| error.to_string())?;
    }
    let arguments = ["-c", config.to_str().ok_or("the folder is not UTF-8")?];
    let log = folder.join("control.log");
    let control = Daemon::start("scripted-control", &arguments, &log);
    try_eventually(PATIENCE, "control listens", || async {
        socket.exists().then_some(()).ok_or_else(|| control.log())
    })
    .await?;
    Ok((control, socket, script))
}

/// The rows of it.
pub fn rows(measured: &Discovery, options: &FleetOptions) -> Vec<Row> {
    let staleness = measured.staleness;
    let met = staleness.p99 <= GOAL && measured.cores <= CORES;
    vec![Row {
        what: format!(
            "{} changes of endpoints a second (half removals, {} pools) to {} nodes for {} s: staleness, and control's processor",
            options.rate, options.pools, options.discovery_nodes, options.seconds
        ),
        goal: "p99 ≤ 2 s on ≤ 1 core".to_owned(),
        measured: format!(
            "{} over {} changes on a node; {:.2} cores; {:.1} updates a second to a node; control's memory grows by {:.1} MiB",
            staleness.text(),
            staleness.count,
            measured.cores,
            measured.updates,
            measured.growth as f64 / f64::from(1 << 20)
        ),
        met: Some(met),
        command: FleetOptions::command(Measurement::Discovery),
    }]
}
