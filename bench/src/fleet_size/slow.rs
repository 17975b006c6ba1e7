//! Some nodes read 1 KB/s: nobody else waits, and control does not grow. Then they stall, are cut, and come back.

use std::time::Duration;

use aralez_tests::fault_proxy::Faults;
use aralez_tests::proof::Row;

use super::figures::{Spread, millis};
use super::options::{FleetOptions, Measurement};
use super::stage::FleetStage;

/// How much slower the others may be by the word "nobody".
const RATIO: f64 = 1.2;
/// How much more control may grow than by as many commits without them, by the word "nothing".
const GROWTH: u64 = 4 << 20;
/// How long those that read slowly may take to be current once they read quickly.
const RETURN: Duration = Duration::from_secs(90);

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Slow {
    /// Until the last of the others ran a commit, before anybody was slow.
    pub before: Spread,
    /// The same while some were.
    pub during: Spread,
    /// How much control's memory grew by as many commits before, and by those, in bytes.
    pub growth: [u64; 2],
    /// How many were slow.
    pub nodes: usize,
    /// From the end of all trouble until these ran the head.
    pub back: Duration,
}

/// Commits while some nodes read slowly.
///
/// # Errors
/// What did not come.
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

/// They stop reading; one more commit; they are cut; then nothing fails any more.
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

/// The rows of it.
pub fn rows(measured: &Slow, options: &FleetOptions) -> Vec<Row> {
    let [before, during] = measured.growth;
    let ratio = measured.during.p99.as_secs_f64() / measured.before.p99.as_secs_f64().max(1e-6);
    let what = format!(
        "{} of {} nodes read 1 KB/s while {} commits are made",
        measured.nodes, options.nodes, options.slow_commits
    );
    let command = FleetOptions::command(Measurement::Slow);
    vec![
        Row {
            what: format!("{what}: until the last of the others runs each"),
            goal: format!("p99 as without them (ratio ≤ {RATIO})"),
            measured: format!(
                "{}; before {}; ratio of p99 {ratio:.2}; stalled and cut, they are current {} after that ends",
                measured.during.text(),
                measured.before.text(),
                millis(measured.back)
            ),
            met: Some(ratio <= RATIO),
            command: command.clone(),
        },
        Row {
            what: format!("{what}: control's memory"),
            goal: format!("grows by ≤ {} MiB more than without them", GROWTH >> 20),
            measured: format!(
                "grows by {:.1} MiB, by as many commits before by {:.1} MiB",
                during as f64 / f64::from(1 << 20),
                before as f64 / f64::from(1 << 20)
            ),
            met: Some(during <= before + GROWTH),
            command,
        },
    ]
}
