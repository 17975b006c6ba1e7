//! A thousand changes under load: no request fails, no response mixes two versions, no connection closes, and latency does not grow.
//!
//! One load runs throughout, on keep-alive connections. Spans without changes alternate with spans with changes; in each of the latter
//! control is killed and restarted, and a stream is cut inside an update.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::echo::Echo;
use super::spread::{median, rank, words};
use super::table::{self, Row};
use super::versions::{HOST, Parts, TARGET, one_version};
use aralez_tests::eventually::eventually;
use aralez_tests::fault_proxy::Faults;
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::load::{self, Load, Tally};

/// Proxy settings with limits that the load does not reach.
pub(super) const NO_LIMITS: &str = "client_requests: 4294967295\nmax_connections_per_address: 0";
/// Pause before each span, so that disk writes after the last change of a span do not fall into the next span.
const AFTERWARDS: Duration = Duration::from_millis(1500);
/// Timeout for proxies to come back. After repeated stream losses within a minute they reconnect with a backoff of up to 30 s.
const BACK: Duration = Duration::from_secs(90);
const GOAL: f64 = 1.1;

/// Size of the measurement.
#[derive(Clone, Copy, Debug)]
pub struct ChangesExtent {
    /// Number of proxies.
    pub proxies: usize,
    /// Connections of the load to each proxy.
    pub connections: usize,
    /// Pause of the load after each response.
    pub pause: Duration,
    /// Number of spans with changes, and of spans without.
    pub rounds: u32,
    /// Changes in each span that has some.
    pub changes: u32,
    /// Minimum interval between changes.
    pub every: Duration,
    /// Nice value of control. Raise it if control shares cores with the load: otherwise the latency also shows the processor time that
    /// control takes from load and proxies.
    pub nice: i32,
}

/// Result of the measurement.
#[derive(Debug)]
pub struct ChangesOutcome {
    /// Changes that control accepted.
    pub accepted: u32,
    /// Results of the load, over all proxies.
    pub tally: Tally,
    /// Connections that the load opens if none is closed.
    pub connections: u64,
    /// Endpoints that received requests, and all endpoints.
    pub endpoints: (usize, usize),
    /// Number of streams cut inside an update.
    pub cuts: u32,
    /// Nice value of control.
    pub nice: i32,
    /// Latencies of each pair of spans: without changes, with changes.
    pub spans: Vec<[Vec<Duration>; 2]>,
}

struct Stage {
    fleet: Fleet,
    endpoints: Vec<Echo>,
    accepted: u32,
    cuts: u32,
    nice: i32,
}

/// Runs the measurement.
///
/// # Panics
/// If control does not accept a change, or a proxy does not come back.
pub async fn measure(extent: &ChangesExtent) -> ChangesOutcome {
    let mut stage = Stage::new(extent).await;
    let mut loads: Vec<Load> = (0..extent.proxies)
        .map(|proxy| stage.load(proxy, extent))
        .collect();
    for load in &mut loads {
        load.flows(50).await;
    }
    let mut windows = Vec::new();
    for round in 0..extent.rounds {
        // Alternate the order, so that each kind of span is first equally often.
        let mut pair = [None, None];
        for changing in [round % 2 == 1, round % 2 == 0] {
            tokio::time::sleep(AFTERWARDS).await;
            let start = Instant::now();
            match changing {
                true => stage.change(round, extent).await,
                false => tokio::time::sleep(extent.every * extent.changes).await,
            }
            pair[usize::from(changing)] = Some((start, Instant::now()));
            stage.fleet.until_current(BACK).await;
        }
        windows.push(pair.map(|window| window.expect("each span has its turn")));
    }
    let mut tallies = Vec::new();
    for load in loads {
        tallies.push(load.stop().await);
    }
    stage.outcome(extent, &tallies, &windows)
}

impl Stage {
    async fn new(extent: &ChangesExtent) -> Self {
        let proxies = extent.proxies;
        let first = Echo::start(0).await;
        let mut plan = Plan::new(proxies).document(&Parts::default().document(first.address()));
        for proxy in 0..proxies {
            plan = plan.relayed(proxy).proxy(proxy, NO_LIMITS);
        }
        let fleet = plan.start().await;
        fleet.until_current(LIVE).await;
        fleet.control().lower_priority(extent.nice);
        Self {
            nice: extent.nice,
            fleet,
            endpoints: vec![first],
            accepted: 0,
            cuts: 0,
        }
    }

    fn load(&self, proxy: usize, extent: &ChangesExtent) -> Load {
        let mut plan =
            load::LoadPlan::get(self.fleet.http(proxy), HOST, TARGET).checked(one_version);
        plan.connections = extent.connections;
        plan.pause = extent.pause;
        plan.longest = Duration::from_secs(3600);
        Load::start(&plan)
    }

    /// Runs a span with changes. Restarts control after a third of them, and cuts a stream after two thirds.
    async fn change(&mut self, round: u32, extent: &ChangesExtent) {
        let begun = Instant::now();
        for turn in 0..extent.changes {
            if turn == extent.changes / 3 {
                self.fleet.kill_control();
                self.fleet.start_control().await;
                self.fleet.control().lower_priority(self.nice);
            }
            if turn == extent.changes * 2 / 3 {
                self.cut(round).await;
            } else {
                self.push().await;
            }
            tokio::time::sleep_until(begun + extent.every * (turn + 1)).await;
        }
    }

    /// Pushes one change, which control must accept.
    async fn push(&mut self) {
        let parts = Parts::after(self.accepted + 1);
        if parts.endpoint as usize == self.endpoints.len() {
            self.endpoints.push(Echo::start(parts.endpoint).await);
        }
        let endpoint = self.endpoints[parts.endpoint as usize].address();
        let answer = self.fleet.push(&parts.document(endpoint)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.accepted += 1;
    }

    /// Pushes a change whose update is cut off after a few bytes together with its connection. Proxy and position vary by round.
    async fn cut(&mut self, round: u32) {
        let proxy = round as usize % self.fleet.relays.len();
        // Wait until reconnects after the restart of control are over.
        self.fleet.until_current(BACK).await;
        let relay = || self.fleet.relays[proxy].as_ref().expect("it is relayed");
        let before = relay().counts().connections();
        relay().set(Faults {
            cut_within: Some(20 + u64::from(round * 37 % 400)),
            ..Faults::default()
        });
        self.push().await;
        let relay = self.fleet.relays[proxy].as_ref().expect("it is relayed");
        eventually(BACK, "the proxy comes back after a cut", || async {
            let more = relay.counts().connections() - before;
            (more > 0).then_some(()).ok_or_else(|| "no".to_owned())
        })
        .await;
        relay.heal();
        self.cuts += 1;
    }

    fn outcome(
        &self,
        extent: &ChangesExtent,
        tallies: &[Tally],
        windows: &[[(Instant, Instant); 2]],
    ) -> ChangesOutcome {
        let mut tally = Tally::default();
        for one in tallies {
            tally.add(one.clone());
        }
        let within = |(start, end): (Instant, Instant)| {
            let answers = tally.answers.0.iter();
            let inside = answers.filter(|(at, _)| (start..end).contains(at));
            inside.map(|(_, took)| *took).collect()
        };
        let asked = self.endpoints.iter().filter(|echo| echo.asked() > 0);
        ChangesOutcome {
            accepted: self.accepted,
            connections: (extent.connections * extent.proxies) as u64,
            endpoints: (asked.count(), self.endpoints.len()),
            cuts: self.cuts,
            nice: self.nice,
            spans: windows.iter().map(|pair| pair.map(within)).collect(),
            tally,
        }
    }
}

impl ChangesOutcome {
    /// Asserts that every response came from one version, that all were sent on the initial connections, and that versions did change.
    ///
    /// # Panics
    /// If any of these does not hold.
    pub fn assert_clean(&self) {
        self.tally.assert_clean();
        assert_eq!(self.tally.connects, self.connections, "connections ended");
        let (asked, all) = self.endpoints;
        assert!(asked * 2 > all, "{asked} of {all} endpoints were asked");
    }

    /// Returns the medians over the spans of a latency percentile: without changes, with changes.
    pub fn medians(&self, percent: f64) -> [Duration; 2] {
        [0, 1].map(|kind| {
            let spans = self.spans.iter();
            let ranks: Vec<_> = spans.map(|span| rank(&span[kind], percent)).collect();
            median(&ranks)
        })
    }

    /// Returns the table rows.
    pub fn rows(&self) -> Vec<Row> {
        let tally = &self.tally;
        let spans = self.spans.len();
        let clean = tally.failed == 0 && tally.mixed == 0;
        let reasons: BTreeSet<_> = tally.reasons.iter().collect();
        let [calm, changing] = self.medians(99.9);
        let ratio = changing.as_secs_f64() / calm.as_secs_f64();
        let [calm_half, changing_half] = self.medians(50.0);
        vec![
            table::goal(
                &format!(
                    "{} accepted revisions of the requested host, control killed {spans} times, streams cut during {} updates: \
                     failed / mixed",
                    self.accepted, self.cuts
                ),
                "0 / 0",
                match clean {
                    true => format!("0 / 0 of {} requests", tally.requests),
                    false => format!("{} / {}: {reasons:?}", tally.failed, tally.mixed),
                },
                clean,
            ),
            table::goal(
                "client connections that last from start to end of the load",
                "all",
                format!(
                    "{} opened for {}; {} of {} versions of the endpoint received requests",
                    tally.connects, self.connections, self.endpoints.0, self.endpoints.1
                ),
                tally.connects == self.connections,
            ),
            table::goal(
                &format!(
                    "p99.9 with changes / p99.9 without, medians of {spans} alternating intervals each; load, control (nice {}) and \
                     proxies share the cores",
                    self.nice
                ),
                &format!("≤ {GOAL}x"),
                format!(
                    "{ratio:.2}x ({} / {}); p50 {} / {}",
                    words(changing),
                    words(calm),
                    words(changing_half),
                    words(calm_half)
                ),
                ratio <= GOAL,
            ),
        ]
    }
}
