//! What a request costs among a hundred thousand hosts, by what it costs where there is one.

use std::time::Duration;

use anyhow::{Context, Result};

use super::table::{self, Row};
use crate::contest::compare::{self, order};
use crate::contest::configs::Job;
use crate::contest::contestant::{ContestStage, Contestant};
use crate::contest::options::{ContestOptions, Kind};
use crate::contest::peers::{Peers, Round};
use crate::contest::scenario::Scenario;
use crate::contest::statistics::{Ratio, median};

const GOAL: f64 = 1.05;
/// Caches and connections are as they stay before the first round.
const FIRST_ROUND: Duration = Duration::from_secs(2);

/// What came of it: processor time per request in microseconds, round by round.
#[derive(Clone, Debug, Default)]
pub struct HostsOutcome {
    /// With one host.
    pub one: Vec<f64>,
    /// With many, each request for a random one.
    pub many: Vec<f64>,
    /// The same with many hosts of which only one is asked: what size costs where nothing is far away.
    pub same: Vec<f64>,
    /// One host that takes the requests for all others, and the same random requests: what they cost where nothing has to be found.
    pub any: Vec<f64>,
    /// Requests that failed.
    pub failed: f64,
}

/// Measures it, pair by pair in turn.
///
/// # Errors
/// When a proxy does not start, or nothing goes through it.
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
    };
    stage.start(Kind::Ours, &job, peers)
}

impl HostsOutcome {
    /// The rows of the table.
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
                "100,000 hosts, uniformly random requests: CPU per proxied request by that of one host, {} pairs of {} s in turn, {connections} connections",
                options.pairs, options.seconds
            ),
            &format!("≤ {GOAL}x"),
            format!(
                "{:.3}x ({:.3}..{:.3}; {:.2} by {:.2} µs); one of the 100,000 alone {same:.3}x; by the same random requests to one host that takes all {any:.3}x; {} failed",
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
