//! What an idle keep-alive connection costs in memory.

use std::time::Duration;

use anyhow::{Context, Result};

use super::configs::Job;
use super::contestant::ContestStage;
use super::options::{ContestOptions, Kind};
use super::peers::{Peers, Round};
use super::scenario::Scenario;
use aralez_tests::meter;

/// What is aimed at, in KiB for each connection.
pub const GOAL: f64 = 8.0;

/// Memory settles in this time.
const SETTLES: Duration = Duration::from_secs(2);
const WARM_REQUESTS: u64 = 2_000;

/// Memory of one proxy without and with connections.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Held {
    /// Which proxy.
    pub kind: Kind,
    /// Its threads or processes.
    pub workers: usize,
    /// How many connections were held.
    pub connections: usize,
    /// Bytes without them, after some requests.
    pub before: u64,
    /// Bytes with them.
    pub with: u64,
}

impl Held {
    /// KiB for each connection.
    pub fn each(&self) -> f64 {
        let difference = self.with as f64 - self.before as f64;
        difference / 1024.0 / self.connections as f64
    }
}

/// Measures each proxy, freshly started.
///
/// # Errors
/// When a connection is not served, or is closed.
pub fn measure(
    stage: &ContestStage,
    options: &ContestOptions,
    workers: usize,
) -> Result<Vec<Held>> {
    let kinds = options.contestants().into_iter();
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
