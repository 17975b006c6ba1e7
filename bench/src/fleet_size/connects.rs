//! Nodes connect faster than control admits them: it refuses the excess with a time to reconnect at, and all are connected in the end.

use std::time::Duration;

use aralez_tests::fleet::Plan;
use aralez_tests::proof::Row;
use aralez_tests::simulator::Simulator;
use aralez_tests::slow::vitals::{Metrics, may_open};

use super::figures::Cost;
use super::options::{FleetOptions, Measurement};
use aralez_tests::document;

/// Time in which all nodes must be connected and current.
const PATIENCE: Duration = Duration::from_secs(180);

/// Result of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct Connects {
    /// Time from the first attempt until all nodes run the head.
    pub all_in: Duration,
    /// Attempts that control refused with a time to reconnect at.
    pub told_to_return: u64,
    /// Control's processor time during the measurement.
    pub control: Duration,
}

/// Connects the nodes and waits until all run the first revision.
///
/// # Errors
/// If some nodes do not get there in time, or the metrics cannot be read.
pub async fn measure(options: &FleetOptions) -> Result<Connects, String> {
    may_open(options.connects * 2 + 1_000);
    let plan = Plan::new(0).document(&document::pairs(options.hosts, 0));
    let fleet = plan.start().await;
    let socket = fleet.folder().join("control.sock");
    let apart = Duration::from_secs(1) / options.connects_per_second.max(1);
    let cost = Cost::of(fleet.control().pid());
    let begun = tokio::time::Instant::now();
    let mut simulator = Simulator::new(None);
    let sockets = (0..options.connects).map(|_| socket.clone());
    simulator.add_each(sockets, apart).await;
    simulator.all_run(1, PATIENCE).await?;
    let all_in = begun.elapsed();
    let metrics = Metrics::of_control(fleet.api()).await?;
    Ok(Connects {
        all_in,
        told_to_return: metrics.labelled("aralez_control_streams_total", "began", "refused"),
        control: cost.spent(),
    })
}

/// Returns the table rows.
pub fn rows(measured: &Connects, options: &FleetOptions) -> Vec<Row> {
    vec![Row {
        what: format!(
            "F-08: {} nodes connect, {} per second",
            options.connects, options.connects_per_second
        ),
        goal: "the excess receives GoAway with a retry time, all are connected at the end"
            .to_owned(),
        measured: format!(
            "all connected after {:.1} s, {} attempts answered with a retry time, {:.1} s of control's CPU time",
            measured.all_in.as_secs_f64(),
            measured.told_to_return,
            measured.control.as_secs_f64()
        ),
        met: Some(measured.told_to_return > 0),
        command: FleetOptions::command(Measurement::Connects),
    }]
}
