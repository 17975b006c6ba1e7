//! Removal of one endpoint: time until all nodes have acknowledged, and what a node costs control.

use std::time::Duration;

use aralez_tests::proof::Row;

use super::figures::{Cost, Spread, kib, millis};
use super::options::{FleetOptions, Measurement};
use super::stage::FleetStage;

/// Promised time until the last acknowledgement, at p99.
const GOAL: Duration = Duration::from_secs(1);
/// Promised upper bound of control's memory per node, in bytes.
const MEMORY: f64 = 64.0 * 1024.0;

/// Result of the measurement.
#[derive(Clone, Debug)]
pub struct Removals {
    /// For each removal: time until the last simulated node runs it.
    pub last: Spread,
    /// Median over the removals of the time until half of the simulated nodes run it.
    pub median_node: Duration,
    /// For each removal: time until control has the acknowledgements of all nodes, complete proxies included.
    pub acknowledged: Spread,
    /// Control's processor time per removal.
    pub control: Duration,
    /// Control's memory per simulated node, in bytes.
    pub memory: f64,
    /// Time that all simulated nodes took to join.
    pub joined: Duration,
}

/// Removes endpoints one after the other.
///
/// # Errors
/// If a push fails, or nodes do not follow in time.
pub async fn measure(stage: &mut FleetStage, options: &FleetOptions) -> Result<Removals, String> {
    let all = options.nodes + options.proxies;
    stage.control_knows(all).await?;
    let (mut last, mut medians, mut acknowledged) = (Vec::new(), Vec::new(), Vec::new());
    let cost = Cost::of(stage.fleet.control().pid());
    for _ in 0..options.removals {
        let begun = tokio::time::Instant::now();
        let spread = stage.remove_one(false).await?;
        stage.control_knows(all).await?;
        acknowledged.push(begun.elapsed());
        last.push(spread.max);
        medians.push(spread.p50);
    }
    let control = cost.spent() / u32::try_from(options.removals.max(1)).unwrap_or(u32::MAX);
    let memory = stage.settled_memory().await;
    Ok(Removals {
        last: Spread::of(last),
        median_node: Spread::of(medians).p50,
        acknowledged: Spread::of(acknowledged),
        control,
        memory: memory.saturating_sub(stage.memory_before) as f64 / options.nodes as f64,
        joined: stage.joined,
    })
}

/// Returns the table rows.
pub fn rows(measured: &Removals, options: &FleetOptions) -> Vec<Row> {
    let command = FleetOptions::command(Measurement::Removals);
    let fleet = format!(
        "{} simulated nodes and {} proxies, {} hosts",
        options.nodes, options.proxies, options.hosts
    );
    vec![
        Row {
            what: format!(
                "{fleet}: removal of an endpoint, from the push to the last acknowledgement, {} times",
                options.removals
            ),
            goal: "p99 ≤ 1 s".to_owned(),
            measured: format!(
                "{}; to the last simulated node that runs it {}; half of the nodes within {}; {} of control's CPU time",
                measured.acknowledged.text(),
                measured.last.text(),
                millis(measured.median_node),
                millis(measured.control),
            ),
            met: Some(measured.acknowledged.p99 <= GOAL),
            command: command.clone(),
        },
        Row {
            what: format!(
                "{fleet}: control's memory per node, after {} removals",
                options.removals
            ),
            goal: "≤ 64 KiB".to_owned(),
            measured: format!(
                "{}; all joined in {:.1} s",
                kib(measured.memory),
                measured.joined.as_secs_f64()
            ),
            met: Some(measured.memory <= MEMORY),
            command,
        },
    ]
}
