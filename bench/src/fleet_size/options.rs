//! Command line of `prove-fleet`: the sizes of all measurements.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// A measurement of the fleet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Measurement {
    /// Remove an endpoint: time until all nodes have acknowledged; control's memory per node.
    Removals,
    /// Kill and restart control: time until all nodes are back, and data sent to them.
    Restart,
    /// Some nodes read slowly, stall, and are cut off.
    Slow,
    /// Nodes connect faster than control admits them.
    Connects,
    /// Endpoints change constantly.
    Discovery,
    /// All nodes refuse a push while endpoints change.
    Refusing,
}

/// Measures a full-size fleet.
#[derive(Clone, Debug, Parser)]
pub struct FleetOptions {
    /// Measurements to run; default: all.
    #[arg(value_enum)]
    pub only: Vec<Measurement>,
    /// Number of simulated nodes.
    #[arg(long, default_value_t = 5_000)]
    pub nodes: usize,
    /// Number of complete proxy processes in addition.
    #[arg(long, default_value_t = 20)]
    pub proxies: usize,
    /// Hosts in the document, with two endpoints each.
    #[arg(long, default_value_t = 1_000)]
    pub hosts: usize,
    /// Number of removals, of one endpoint each.
    #[arg(long, default_value_t = 25)]
    pub removals: usize,
    /// Number of commits while some nodes read slowly.
    #[arg(long, default_value_t = 100)]
    pub slow_commits: usize,
    /// One in this many nodes is behind a relay that can slow down its reads.
    #[arg(long, default_value_t = 100)]
    pub one_slow_of: usize,
    /// Number of nodes in the connect storm.
    #[arg(long, default_value_t = 3_000)]
    pub connects: usize,
    /// Connects per second in the connect storm.
    #[arg(long, default_value_t = 1_000)]
    pub connects_per_second: u32,
    /// Number of nodes that follow endpoint changes.
    #[arg(long, default_value_t = 1_000)]
    pub discovery_nodes: usize,
    /// Endpoint changes per second.
    #[arg(long, default_value_t = 500)]
    pub rate: u32,
    /// Number of pools in which endpoints change.
    #[arg(long, default_value_t = 100)]
    pub pools: u32,
    /// Duration of the endpoint changes, in seconds.
    #[arg(long, default_value_t = 300)]
    pub seconds: u32,
    /// File to write the table rows to.
    #[arg(long)]
    pub out: Option<PathBuf>,
}

impl FleetOptions {
    /// Returns whether a measurement was selected.
    pub fn measures(&self, measurement: Measurement) -> bool {
        self.only.is_empty() || self.only.contains(&measurement)
    }

    /// Returns the command that repeats a measurement.
    pub fn command(measurement: Measurement) -> String {
        let value = measurement.to_possible_value();
        let name = value.map_or_else(String::new, |value| value.get_name().to_owned());
        format!("target/release/prove-fleet {name}")
    }
}
