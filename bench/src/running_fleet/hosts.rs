//! Cost of a request with a hundred thousand hosts, relative to the cost with one host.

use std::time::Duration;

use anyhow::{Context, Result};

use super::table::{self, Row};
use crate::contest::compare::{self, order};
use crate::contest::configs::Job;
use crate::contest::contestant::{ContestStage, Contestant};
use crate::contest::options::{ContestOptions, Kind};
use crate::contest::peers::{Peers, Round};
use crate::contest::scenario::{RouteRules, Scenario};
use crate::contest::statistics::{Ratio, median};

const GOAL: f64 = 1.05;
/// Warm-up that fills caches and opens connections before the first measured round.
const FIRST_ROUND: Duration = Duration::from_secs(2);

/// Result of the measurement: processor time per request in microseconds, by round.
#[derive(Clone, Debug, Default)]
pub struct HostsOutcome {
    /// With one configured host.
    pub one: Vec<f64>,
    /// With 100,000 hosts, each request for a random one.
    pub many: Vec<f64>,
    /// With 100,000 hosts and all requests for the same one: the cost of size with the data in the processor's caches.
    pub same: Vec<f64>,
    /// With one configured host and a default that serves all others, and the same random requests: their cost without finding a host.
    pub any: Vec<f64>,
    /// Number of failed requests, over all rounds.
    pub failed: f64,
}

/// Runs the measurement, in rounds whose order alternates.
///
/// # Errors
/// If a proxy does not start, or a round fails.
pub fn measure(
    stage: &ContestStage,
    options: &ContestOptions,
    connections: usize,
) -> Result<HostsOutcome> {
    let mut peers = Peers::new()?;
    let few = start(stage, Scenario::KeepAlive, &mut peers)?;
    let full = start(stage, Scenario::Hosts100k, &mut peers)?;
    let round = |contestant: &Contestant, scenario: Scenario, most: usize| {
        let mut requests = scenario.requests();
        requests.truncate(most);
        Round {
            address: contestant.address,
            requests,
            connections,
        }
    };
    let rounds = [
        (&few, round(&few, Scenario::KeepAlive, 1)),
        (&full, round(&full, Scenario::Hosts100k, usize::MAX)),
        (&full, round(&full, Scenario::Hosts100k, 1)),
        (&few, round(&few, Scenario::Hosts100k, usize::MAX)),
    ];
    for (_, round) in &rounds {
        peers.open(round).run(FIRST_ROUND)?;
    }
    let mut series: [Vec<f64>; 4] = Default::default();
    let mut failed = 0.0;
    for pair in 0..options.pairs {
        for index in order(rounds.len(), pair) {
            let (contestant, round) = &rounds[index];
            let (sample, tally) = compare::measure(contestant, round, options, &mut peers)
                .with_context(|| format!("round {pair}"))?;
            series[index].push(sample.processor);
            failed += tally.failed as f64;
        }
    }
    let [one, many, same, any] = series;
    Ok(HostsOutcome {
        one,
        many,
        same,
        any,
        failed,
    })
}

fn start(stage: &ContestStage, scenario: Scenario, peers: &mut Peers) -> Result<Contestant> {
    let job = Job {
        listen: ([127, 0, 0, 1], 0).into(),
        origin: peers.origin.address(),
        hosts: scenario.hosts(),
        workers: 1,
        rules: RouteRules::None,
        files: None,
    };
    stage.start(Kind::Ours, &job, peers)
}

impl HostsOutcome {
    /// Returns the table rows.
    pub fn rows(&self, options: &ContestOptions, connections: usize) -> Vec<Row> {
        let Some(ratio) = Ratio::of(&self.many, &self.one) else {
            return Vec::new();
        };
        let by = |these: &[f64], those: &[f64]| {
            Ratio::of(these, those).map_or(0.0, |ratio| ratio.median)
        };
        let same = by(&self.same, &self.one);
        let any = by(&self.many, &self.any);
        vec![table::goal(
            &format!(
                "100,000 hosts, uniformly random requests: CPU time per proxied request / that with one host, {} alternating pairs of \
                 {} s, {connections} connections",
                options.pairs, options.seconds
            ),
            &format!("≤ {GOAL}x"),
            format!(
                "{:.3}x ({:.3}..{:.3}; {:.2} / {:.2} µs); all requests to one of the 100,000 hosts {same:.3}x; random requests relative \
                 to those to one catch-all host {any:.3}x; {} failed",
                ratio.median,
                ratio.least,
                ratio.most,
                median(&self.many),
                median(&self.one),
                self.failed
            ),
            ratio.median <= GOAL && self.failed == 0.0,
        )]
    }
}
