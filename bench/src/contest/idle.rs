//! Memory cost of an idle keep-alive connection.

use std::time::Duration;

use anyhow::{Context, Result};

use super::configs::Job;
use super::contestant::ContestStage;
use super::options::{ContestOptions, Kind};
use super::peers::{Peers, Round};
use super::scenario::{RouteRules, Scenario};
use aralez_tests::meter;

/// The goal, in KiB per connection.
pub const GOAL: f64 = 8.0;

/// Time in which memory settles.
const SETTLES: Duration = Duration::from_secs(2);
const WARM_REQUESTS: u64 = 2_000;

/// Memory of one proxy with and without connections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// The proxy.
    pub kind: Kind,
    /// The number of its threads or processes.
    pub workers: usize,
    /// The number of connections held.
    pub connections: usize,
    /// Memory without them, after some requests, in bytes.
    pub before: u64,
    /// Memory with them, in bytes.
    pub with: u64,
}

impl Held {
    /// Returns the cost in KiB per connection.
    pub fn each(&self) -> f64 {
        let difference = self.with as f64 - self.before as f64;
        difference / 1024.0 / self.connections as f64
    }
}

/// Measures each proxy, freshly started.
///
/// # Errors
/// If a connection is not served, or is closed.
pub fn measure(
    stage: &ContestStage,
    options: &ContestOptions,
    workers: usize,
) -> Result<Vec<Held>> {
    let kinds = options.contestants(Scenario::KeepAlive).into_iter();
    kinds
        .map(|kind| held(stage, kind, workers, options.idle).with_context(|| kind.title()))
        .collect()
}

fn held(stage: &ContestStage, kind: Kind, workers: usize, connections: usize) -> Result<Held> {
    let mut peers = Peers::new()?;
    let job = Job {
        listen: ([127, 0, 0, 1], 0).into(),
        origin: peers.origin.address(),
        hosts: 1,
        workers,
        rules: RouteRules::None,
        files: None,
    };
    let contestant = stage.start(kind, &job, &mut peers)?;
    let processes = contestant.processes();
    let mut round = Round {
        address: contestant.address,
        requests: Scenario::KeepAlive.requests(),
        connections: 32,
    };
    let mut session = peers.open(&round);
    session.run_until(WARM_REQUESTS, SETTLES)?;
    session.finish()?;
    let before = meter::memory(&processes);
    round.connections = connections;
    let mut session = peers.hold(&round)?;
    let tally = session.run(SETTLES)?;
    anyhow::ensure!(
        session.open() == connections,
        "idle connections were closed: {:?}",
        tally.reasons
    );
    let with = meter::memory(&processes);
    Ok(Held {
        kind,
        workers,
        connections,
        before,
        with,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_a_connection_is_the_difference_shared_out() {
        let held = Held {
            kind: Kind::Ours,
            workers: 1,
            connections: 1000,
            before: 10 << 20,
            with: (10 << 20) + 8 * 1024 * 1000,
        };
        assert_eq!(held.each(), 8.0);
    }
}
