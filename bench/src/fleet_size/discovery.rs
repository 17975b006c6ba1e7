//! Constant endpoint churn: how stale the nodes are, and what it costs control.
//!
//! This release has no source that discovers endpoints. `scripted-control` is control with a source that generates them (`schedule`).

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

/// Promised staleness of a node, at p99.
const GOAL: Duration = Duration::from_secs(2);
/// Promised processor use of control, in cores.
const CORES: f64 = 1.0;
/// Time in which all nodes must join, and later run the last change.
const PATIENCE: Duration = Duration::from_secs(120);
/// Delay of the first change after everything is ready.
const LEAD: Duration = Duration::from_millis(500);

/// Result of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct Discovery {
    /// Time from a change until a node runs it or a later one, over all nodes and changes.
    pub staleness: Spread,
    /// Control's average processor use, in cores.
    pub cores: f64,
    /// Updates that a node applied per second, averaged over the nodes.
    pub updates: f64,
    /// Growth of control's memory during the changes, in bytes.
    pub growth: u64,
}

/// Has the nodes follow a schedule of endpoint changes.
///
/// # Errors
/// If control does not start, or nodes do not join or follow in time.
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

/// Starts control with the pools of a schedule. Returns its process, the path of its socket, and the path of its script.
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

/// Returns the table rows.
pub fn rows(measured: &Discovery, options: &FleetOptions) -> Vec<Row> {
    let staleness = measured.staleness;
    let met = staleness.p99 <= GOAL && measured.cores <= CORES;
    vec![Row {
        what: format!(
            "{} endpoint changes per second (half of them removals, {} pools) to {} nodes for {} s: staleness, and control's CPU use",
            options.rate, options.pools, options.discovery_nodes, options.seconds
        ),
        goal: "p99 ≤ 2 s on ≤ 1 core".to_owned(),
        measured: format!(
            "{} over {} changes on all nodes; {:.2} cores; {:.1} updates per second and node; control's memory grows by {:.1} MiB",
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
