//! Some nodes read 1 KB/s: no other node waits, and control's memory does not grow. Then they stall, are cut off, and come back.

use std::time::Duration;

use aralez_tests::fault_proxy::Faults;
use aralez_tests::proof::Row;

use super::figures::{Spread, millis};
use super::options::{FleetOptions, Measurement};
use super::stage::FleetStage;

/// Highest p99 of the other nodes, relative to that without slow ones, that counts as "no other node waits".
const RATIO: f64 = 1.2;
/// Bytes by which control's memory may grow more with slow nodes than over as many commits without them.
const GROWTH: u64 = 4 << 20;
/// Time in which the slow nodes must become current once they read at full speed.
const RETURN: Duration = Duration::from_secs(90);

/// Result of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct Slow {
    /// Time until the last of the other nodes runs a commit, without slow nodes.
    pub before: Spread,
    /// The same with slow nodes.
    pub during: Spread,
    /// Growth of control's memory, in bytes: over the commits without slow nodes, and over as many with them.
    pub growth: [u64; 2],
    /// Number of slow nodes.
    pub nodes: usize,
    /// Time from the end of all faults until the slow nodes run the head.
    pub back: Duration,
}

/// Commits while some nodes read slowly.
///
/// # Errors
/// If a push fails, or nodes do not follow in time.
pub async fn measure(stage: &mut FleetStage, options: &FleetOptions) -> Result<Slow, String> {
    let memory_at_first = stage.settled_memory().await;
    let before = commits(stage, options.slow_commits).await?;
    stage.control_knows(options.nodes + options.proxies).await?;
    let memory_before = stage.settled_memory().await;
    stage.set(Faults {
        bytes_per_second: Some(1024),
        ..Faults::default()
    });
    let during = commits(stage, options.slow_commits).await?;
    let memory_after = stage.settled_memory().await;
    stall_and_cut(stage).await?;
    let healed = tokio::time::Instant::now();
    let revision = stage.revision;
    stage.simulator.all_run(revision, RETURN).await?;
    Ok(Slow {
        before,
        during,
        growth: [
            memory_before.saturating_sub(memory_at_first),
            memory_after.saturating_sub(memory_before),
        ],
        nodes: stage.relayed.len(),
        back: healed.elapsed(),
    })
}

async fn commits(stage: &mut FleetStage, count: usize) -> Result<Spread, String> {
    let mut last = Vec::new();
    for _ in 0..count {
        last.push(stage.remove_one(true).await?.max);
    }
    Ok(Spread::of(last))
}

/// Stalls the slow nodes, commits, cuts their streams, commits again, then removes all faults and cuts the streams once more.
async fn stall_and_cut(stage: &mut FleetStage) -> Result<(), String> {
    stage.set(Faults {
        stall: true,
        ..Faults::default()
    });
    stage.remove_one(true).await?;
    stage.sever();
    stage.remove_one(true).await?;
    stage.set(Faults::default());
    stage.sever();
    Ok(())
}

/// Returns the table rows.
pub fn rows(measured: &Slow, options: &FleetOptions) -> Vec<Row> {
    let [before, during] = measured.growth;
    let ratio = measured.during.p99.as_secs_f64() / measured.before.p99.as_secs_f64().max(1e-6);
    let what = format!(
        "{} of {} nodes read 1 KB/s during {} commits",
        measured.nodes, options.nodes, options.slow_commits
    );
    let command = FleetOptions::command(Measurement::Slow);
    vec![
        Row {
            what: format!("{what}: time until the last of the other nodes runs each commit"),
            goal: format!("p99 as without slow nodes (ratio ≤ {RATIO})"),
            measured: format!(
                "{}; without slow nodes {}; ratio of p99 {ratio:.2}; after stalls and cuts end, the slow nodes are current within {}",
                measured.during.text(),
                measured.before.text(),
                millis(measured.back)
            ),
            met: Some(ratio <= RATIO),
            command: command.clone(),
        },
        Row {
            what: format!("{what}: growth of control's memory"),
            goal: format!("≤ {} MiB more than without slow nodes", GROWTH >> 20),
            measured: format!(
                "{:.1} MiB; as many commits without slow nodes: {:.1} MiB",
                during as f64 / f64::from(1 << 20),
                before as f64 / f64::from(1 << 20)
            ),
            met: Some(during <= before + GROWTH),
            command,
        },
    ]
}
