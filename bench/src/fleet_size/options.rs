//! The sizes of all measurements.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Measurement {
    /// One endpoint is removed: how long until all nodes have acknowledged. What a node costs control in memory.
    Removals,
    /// Control is killed: how long until all nodes are back, and what they are sent.
    Restart,
    /// A part of the nodes reads slowly, stalls, is cut.
    Slow,
    /// Nodes connect faster than control takes them.
    Connects,
    /// Endpoints come and go all the time.
    Discovery,
    /// All nodes refuse a push, and endpoints change.
    Refusing,
}

/// Measures a fleet of full size.
#[derive(Clone, Debug, Parser)]
pub struct FleetOptions {
    /// What is measured; everything where nothing is named.
    #[arg(value_enum)]
    pub only: Vec<Measurement>,
    /// Simulated nodes.
    #[arg(long, default_value_t = 5_000)]
    pub nodes: usize,
    /// Complete proxies beside them, each a process.
    #[arg(long, default_value_t = 20)]
    pub proxies: usize,
    /// Hosts of the document, with two endpoints each.
    #[arg(long, default_value_t = 1_000)]
    pub hosts: usize,
    /// Removals of one endpoint.
    #[arg(long, default_value_t = 25)]
    pub removals: usize,
    /// Commits while some nodes read slowly.
    #[arg(long, default_value_t = 100)]
    pub slow_commits: usize,
    /// One of so many nodes is behind a relay, and reads slowly when asked to.
    #[arg(long, default_value_t = 100)]
    pub one_slow_of: usize,
    /// Nodes that connect at once.
    #[arg(long, default_value_t = 3_000)]
    pub connects: usize,
    /// Of these, so many in a second.
    #[arg(long, default_value_t = 1_000)]
    pub connects_per_second: u32,
    /// Nodes that follow endpoints that come and go.
    #[arg(long, default_value_t = 1_000)]
    pub discovery_nodes: usize,
    /// Changes of endpoints in a second.
    #[arg(long, default_value_t = 500)]
    pub rate: u32,
    /// Pools in which they change.
    #[arg(long, default_value_t = 100)]
    pub pools: u32,
    /// How long, in seconds.
    #[arg(long, default_value_t = 300)]
    pub seconds: u32,
    /// Where the rows go.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

impl FleetOptions {
    /// Whether this is measured.
    pub fn measures(&self, measurement: Measurement) -> bool {
        self.only.is_empty() || self.only.contains(&measurement)
    }

    /// What measures this again.
    pub fn command(measurement: Measurement) -> String {
        let value = measurement.to_possible_value();
        let name = value.map_or_else(String::new, |value| value.get_name().to_owned());
        format!("target/release/prove-fleet {name}")
    }
}
