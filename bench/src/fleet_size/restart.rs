//! Control is killed and comes back on the same state: how long until all nodes are back, and what they are sent.

use std::time::Duration;

use aralez_tests::proof::Row;
use aralez_tests::simulator::Counts;

use super::options::{FleetOptions, Measurement};
use super::stage::FleetStage;

/// What is promised for the last of all nodes.
const GOAL: Duration = Duration::from_secs(30);
/// How long is waited for it.
const PATIENCE: Duration = Duration::from_secs(180);

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Restart {
    /// From the kill until all are welcomed again.
    pub back: Duration,
    /// What all simulated nodes were sent meanwhile.
    pub sent: Counts,
    /// Bytes to each node that has a relay, connections that were turned away included.
    pub bytes: f64,
}

/// Kills control and starts it again.
///
/// # Errors
/// What did not come.
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

/// Until the first nodes have seen that control is gone: before that all are connected, to nobody.
async fn gone(stage: &FleetStage) {
    while stage.simulator.connected() == stage.simulator.len() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The rows of it.
pub fn rows(measured: &Restart, options: &FleetOptions) -> Vec<Row> {
    let sent = measured.sent;
    vec![Row {
        what: format!(
            "control killed with {} nodes and {} proxies: until all are back, and what unchanged nodes are sent",
            options.nodes, options.proxies
        ),
        goal: "≤ 30 s, no update".to_owned(),
        measured: format!(
            "{:.1} s; {} updates, {} new names; {:.0} bytes to a node, greetings and refused attempts included",
            measured.back.as_secs_f64(),
            sent.updates,
            sent.renames,
            measured.bytes
        ),
        met: Some(measured.back <= GOAL && sent == Counts::default()),
        command: FleetOptions::command(Measurement::Restart),
    }]
}
