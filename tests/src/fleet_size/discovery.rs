//! Endpoints come and go all the time: how stale nodes are, and what that costs control.
//!
//! This release has no source that finds endpoints. `discovering-control` is control with one that makes them up (`schedule`): real
//! publisher, real sessions, real stream.

pub mod schedule;
mod staleness;

use std::sync::Arc;
use std::time::Duration;

use crate::eventually::try_eventually;
use crate::process::Daemon;
use crate::proof::Row;
use crate::simulator::Simulator;
use crate::slow::vitals::may_open;

use super::figures::{Cost, Spread};
use super::options::{Measurement, Options};
use schedule::Schedule;
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
pub async fn measure(options: &Options) -> Result<Discovery, String> {
    may_open(options.discovery_nodes * 2 + 1_000);
    let folder = tempfile::Builder::new().prefix("aralez-").tempdir();
    let folder = folder.map_err(|error| error.to_string())?;
    let mut schedule = Schedule::of(options);
    let begin = folder.path().join("begin");
    let path = folder.path().to_str().ok_or("the folder is not UTF-8")?;
    let numbers =
        [schedule.pools, schedule.rate, schedule.seconds].map(|number| number.to_string());
    let arguments = [path, &numbers[0], &numbers[1], &numbers[2]];
    let log = folder.path().join("control.log");
    let control = Daemon::start("discovering-control", &arguments, &log);
    let socket = folder.path().join("control.sock");
    try_eventually(PATIENCE, "control listens", || async {
        socket.exists().then_some(()).ok_or_else(|| control.log())
    })
    .await?;
    let staleness = Arc::new(Staleness::new(options.discovery_nodes, schedule));
    let mut simulator = Simulator::new(Some(Box::new(Arc::clone(&staleness))));
    let sockets = (0..options.discovery_nodes).map(|_| socket.clone());
    simulator.add_each(sockets, Duration::ZERO).await;
    simulator.all_run(1, PATIENCE).await?;

    schedule.begin = schedule::now() + LEAD;
    staleness.begins(schedule.begin);
    let text = schedule.begin.as_nanos().to_string();
    std::fs::write(&begin, text).map_err(|error| error.to_string())?;
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

/// The rows of it.
pub fn rows(measured: &Discovery, options: &Options) -> Vec<Row> {
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
        command: Options::command(Measurement::Discovery),
    }]
}
