//! One cell of the comparison: a scenario with a number of workers and connections, all proxies, pair after pair.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use super::configs::Job;
use super::contestant::{ContestStage, Contestant};
use super::options::{ContestOptions, Kind};
use super::peers::{Peers, Round, Session, Tally};
use super::scenario::Scenario;
use super::statistics::percentile;
use super::syscalls::{Calls, Tracer};
use aralez_tests::meter;

const LONGEST_TRACE: Duration = Duration::from_secs(20);
const ATTACHES: Duration = Duration::from_secs(5);
/// Warm-up after a start, so that no measured round includes the first requests to many hosts.
const FIRST_ROUND: Duration = Duration::from_millis(500);
const MIB: f64 = 1024.0 * 1024.0;

/// One round of one proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Processor time per request, in microseconds.
    pub processor: f64,
    /// Median latency, in microseconds.
    pub p50: f64,
    /// 99th percentile of the latency, in microseconds.
    pub p99: f64,
    /// Requests per second.
    pub rate: f64,
    /// Number of cores that the proxy kept busy.
    pub busy: f64,
    /// Memory of the proxy at the end, in MiB.
    pub memory: f64,
    /// Connections that the proxy opened to the origin, per 1,000 requests.
    pub connects: f64,
    /// Requests that failed.
    pub failed: f64,
}

/// All rounds of one proxy.
#[derive(Clone, Debug)]
pub struct Series {
    /// The proxy.
    pub kind: Kind,
    /// The rounds, one for each pair.
    pub samples: Vec<Sample>,
    /// The reasons of the first failures.
    pub reasons: Vec<String>,
    /// System calls, and the number of requests during which they were counted.
    pub calls: Option<(Calls, u64)>,
}

impl Series {
    /// Returns one value of each round.
    pub fn values(&self, of: impl Fn(&Sample) -> f64) -> Vec<f64> {
        self.samples.iter().map(of).collect()
    }
}

/// One cell of the comparison.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The scenario of the requests.
    pub scenario: Scenario,
    /// Threads or processes of each proxy.
    pub workers: usize,
    /// Connections of the load.
    pub connections: usize,
    /// The proxies, in the order of the options.
    pub series: Vec<Series>,
}

impl Cell {
    /// Returns the rounds of one proxy, or `None` if it did not take part.
    pub fn of(&self, kind: Kind) -> Option<&Series> {
        self.series.iter().find(|series| series.kind == kind)
    }
}

/// Measures a cell.
///
/// # Errors
/// If a proxy does not start, or no request through it succeeds.
pub fn cell(
    stage: &ContestStage,
    options: &ContestOptions,
    (scenario, workers, connections): (Scenario, usize, usize),
) -> Result<Cell> {
    let mut peers = Peers::new()?;
    let kinds = options.contestants(scenario).into_iter();
    let mut cell = Cell {
        scenario,
        workers,
        connections,
        series: kinds.map(empty).collect(),
    };
    let files = scenario.file().map(folder_with).transpose()?;
    let requests = scenario.requests();
    let round = |contestant: &Contestant| Round {
        address: contestant.address,
        requests: requests.clone(),
        connections,
    };
    let starts = options.starts.clamp(1, options.pairs.max(1));
    for number in 0..starts {
        let contestants = start(
            stage,
            options,
            (scenario, workers),
            files.as_ref(),
            &mut peers,
        )?;
        for contestant in &contestants {
            peers.open(&round(contestant)).run(FIRST_ROUND)?;
        }
        for pair in pairs_of(number, starts, options.pairs) {
            for index in order(contestants.len(), pair) {
                let contestant = &contestants[index];
                let (sample, tally) = measure(contestant, &round(contestant), options, &mut peers)
                    .with_context(|| contestant.kind.title())?;
                cell.series[index].samples.push(sample);
                cell.series[index].reasons.extend(tally.reasons);
            }
        }
        if options.traced > 0 && number + 1 == starts {
            for (series, contestant) in cell.series.iter_mut().zip(&contestants) {
                let counted = trace(contestant, &round(contestant), options.traced, &mut peers);
                series.calls = Some(counted.with_context(|| contestant.kind.title())?);
            }
        }
    }
    Ok(cell)
}

/// Makes a folder with the file of a scenario.
fn folder_with(size: usize) -> Result<TempDir> {
    let folder = tempfile::Builder::new().prefix("aralez-bench-").tempdir()?;
    std::fs::write(folder.path().join("file.bin"), vec![b'f'; size])?;
    Ok(folder)
}

/// Returns the pairs that are measured after this start of the proxies, spread evenly over the starts.
fn pairs_of(start: usize, starts: usize, pairs: usize) -> Range<usize> {
    pairs * start / starts..pairs * (start + 1) / starts
}

fn start(
    stage: &ContestStage,
    options: &ContestOptions,
    (scenario, workers): (Scenario, usize),
    files: Option<&TempDir>,
    peers: &mut Peers,
) -> Result<Vec<Contestant>> {
    let job = Job {
        listen: ([127, 0, 0, 1], 0).into(),
        origin: peers.origin.address(),
        hosts: scenario.hosts(),
        workers,
        rules: scenario.rules(),
        files: files.map(|folder| folder.path().to_owned()),
    };
    let kinds = options.contestants(scenario).into_iter();
    kinds.map(|kind| stage.start(kind, &job, peers)).collect()
}

fn empty(kind: Kind) -> Series {
    Series {
        kind,
        samples: Vec::new(),
        reasons: Vec::new(),
        calls: None,
    }
}

/// Returns the order in which the proxies run in this pair. Over `2 * count` pairs each proxy runs twice in each place.
pub fn order(count: usize, pair: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.rotate_left(pair / 2 % count.max(1));
    if pair % 2 == 1 {
        order.reverse();
    }
    order
}

/// Measures one round of one proxy.
///
/// # Errors
/// If no request through it succeeds.
pub fn measure(
    contestant: &Contestant,
    round: &Round,
    options: &ContestOptions,
    peers: &mut Peers,
) -> Result<(Sample, Tally)> {
    let processes = contestant.processes();
    let mut session = peers.open(round);
    let warm = session.run(Duration::from_secs_f64(options.warm))?;
    let accepted = session.accepted();
    let (before, start) = (meter::processor_time(&processes), Instant::now());
    let mut tally = session.run(Duration::from_secs_f64(options.seconds))?;
    let (spent, elapsed) = (
        meter::processor_time(&processes).saturating_sub(before),
        start.elapsed(),
    );
    let memory = meter::memory(&processes);
    let connects = session.accepted() - accepted;
    for other in [warm, session.finish()?] {
        tally.failed += other.failed;
        tally.reasons.extend(other.reasons);
    }
    if tally.answered == 0 {
        bail!("no request succeeded: {:?}", tally.reasons);
    }
    let answered = tally.answered as f64;
    let sample = Sample {
        processor: spent.as_secs_f64() * 1e6 / answered,
        p50: f64::from(percentile(&mut tally.latencies, 50.0)) / 1e3,
        p99: f64::from(percentile(&mut tally.latencies, 99.0)) / 1e3,
        rate: answered / elapsed.as_secs_f64(),
        busy: spent.as_secs_f64() / elapsed.as_secs_f64(),
        memory: memory as f64 / MIB,
        connects: connects as f64 * 1e3 / answered,
        failed: tally.failed as f64,
    };
    Ok((sample, tally))
}

/// Counts the system calls of `requests` requests on connections that are already open.
fn trace(
    contestant: &Contestant,
    round: &Round,
    requests: u64,
    peers: &mut Peers,
) -> Result<(Calls, u64)> {
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("calls");
    let processes = contestant.processes();
    let tracer = Tracer::attach(&processes, &report)?;
    attached(&processes, peers)?;
    let mut session = peers.open(round);
    let tally = session.run_until(requests, LONGEST_TRACE)?;
    let rest = session.finish()?;
    Ok((tracer.finish(&report)?, tally.answered + rest.answered))
}

fn attached(processes: &[u32], peers: &mut Peers) -> Result<()> {
    let end = Instant::now() + ATTACHES;
    let nothing = Round {
        address: peers.origin.address(),
        requests: Vec::new(),
        connections: 0,
    };
    while !meter::are_traced(processes) {
        if Instant::now() > end {
            bail!("strace did not attach in time");
        }
        let mut session: Session<'_> = peers.open(&nothing);
        session.run(Duration::from_millis(20))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_belongs_to_one_start() {
        for (starts, pairs) in [(1, 8), (4, 8), (3, 8), (8, 8)] {
            let all = (0..starts).flat_map(|start| pairs_of(start, starts, pairs));
            assert!(all.eq(0..pairs), "{starts} starts");
        }
        assert_eq!(pairs_of(1, 4, 8), 2..4);
    }

    #[test]
    fn nobody_has_a_better_place_in_the_order() {
        let orders: Vec<_> = (0..8).map(|pair| order(4, pair)).collect();
        for proxy in 0..4 {
            for place in 0..4 {
                let times = orders.iter().filter(|order| order[place] == proxy);
                assert_eq!(times.count(), 2, "proxy {proxy} in place {place}");
            }
        }
        assert_eq!(order(1, 3), [0]);
    }
}
