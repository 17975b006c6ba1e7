//! Control is killed and restarted with the same state: time until all nodes are back, and what they are sent.

use std::time::Duration;

use aralez_tests::proof::Row;
use aralez_tests::simulator::Counts;

use super::options::{FleetOptions, Measurement};
use super::stage::FleetStage;

/// Promised time until the last node is back.
const GOAL: Duration = Duration::from_secs(30);
/// Timeout of the wait for it.
const PATIENCE: Duration = Duration::from_secs(180);

/// Result of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct Restart {
    /// Time from the kill until control counts all nodes as current again.
    pub back: Duration,
    /// Messages sent to all simulated nodes meanwhile, by kind.
    pub sent: Counts,
    /// Average number of bytes sent to each node behind a relay, refused connections included.
    pub bytes: f64,
}

/// Kills control and starts it again.
///
/// # Errors
/// If nodes do not come back in time.
pub async fn measure(stage: &mut FleetStage, options: &FleetOptions) -> Result<Restart, String> {
    let all = options.nodes + options.proxies;
    stage.control_knows(all).await?;
    stage.forget_bytes();
    let before = stage.simulator.board().counts();
    let killed = tokio::time::Instant::now();
    stage.fleet.kill_control();
    stage.fleet.launch_control();
    gone(stage).await;
    stage.simulator.all_run(stage.revision, PATIENCE).await?;
    stage.control_knows(all).await?;
    let back = killed.elapsed();
    let after = stage.simulator.board().counts();
    Ok(Restart {
        back,
        sent: Counts {
            updates: after.updates - before.updates,
            complete: after.complete - before.complete,
            renames: after.renames - before.renames,
        },
        bytes: stage.relayed_bytes(),
    })
}

/// Waits until a node notices that control is gone. Until then all nodes still count as connected.
async fn gone(stage: &FleetStage) {
    while stage.simulator.connected() == stage.simulator.len() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Returns the table rows.
pub fn rows(measured: &Restart, options: &FleetOptions) -> Vec<Row> {
    let sent = measured.sent;
    vec![Row {
        what: format!(
            "control killed with {} nodes and {} proxies: time until all are back, and data sent to unchanged nodes",
            options.nodes, options.proxies
        ),
        goal: "≤ 30 s, no update".to_owned(),
        measured: format!(
            "{:.1} s; {} updates, {} renames; {:.0} bytes per node, including greetings and refused attempts",
            measured.back.as_secs_f64(),
            sent.updates,
            sent.renames,
            measured.bytes
        ),
        met: Some(measured.back <= GOAL && sent == Counts::default()),
        command: FleetOptions::command(Measurement::Restart),
    }]
}
