//! Control and its fleet: complete proxies as processes, simulated nodes, and relays in front of some of these.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use aralez_tests::document;
use aralez_tests::eventually::try_eventually;
use aralez_tests::fault_proxy::{FaultProxy, Faults};
use aralez_tests::fleet::{Fleet, Plan};
use aralez_tests::simulator::Simulator;
use aralez_tests::slow::vitals::{Metrics, may_open};

use super::figures::Spread;
use super::options::FleetOptions;

/// Timeout of each step.
const PATIENCE: Duration = Duration::from_secs(180);

/// Control with a full-size fleet.
#[derive(Debug)]
pub struct FleetStage {
    /// Control and the complete proxies.
    pub fleet: Fleet,
    /// The simulated nodes.
    pub simulator: Simulator,
    /// Numbers of the simulated nodes that connect through a relay.
    pub relayed: BTreeSet<usize>,
    relays: Vec<FaultProxy>,
    hosts: usize,
    removed: usize,
    /// The revision of control's head.
    pub revision: u64,
    /// Control's memory before the first simulated node connected, in bytes.
    pub memory_before: u64,
    /// Time that all simulated nodes took to run the first revision.
    pub joined: Duration,
}

impl FleetStage {
    /// Starts control and all nodes, and waits until all run the first revision.
    ///
    /// # Errors
    /// If nodes do not get there in time.
    pub async fn start(options: &FleetOptions) -> Result<Self, String> {
        may_open(options.nodes * 2 + 1_000);
        let fleet = Plan::new(options.proxies)
            .document(&document::pairs(options.hosts, 0))
            .start()
            .await;
        let mut stage = Self {
            fleet,
            simulator: Simulator::new(None),
            relayed: BTreeSet::new(),
            relays: Vec::new(),
            hosts: options.hosts,
            removed: 0,
            revision: 1,
            memory_before: 0,
            joined: Duration::ZERO,
        };
        stage.control_knows(options.proxies).await?;
        stage.memory_before = stage.fleet.control().memory();
        let sockets = stage.sockets(options);
        let begun = tokio::time::Instant::now();
        stage.simulator.add_each(sockets, Duration::ZERO).await;
        stage.simulator.all_run(1, PATIENCE).await?;
        stage.joined = begun.elapsed();
        Ok(stage)
    }

    fn sockets(&mut self, options: &FleetOptions) -> Vec<PathBuf> {
        let control = self.fleet.folder().join("control.sock");
        let socket = |number: usize| {
            if number % options.one_slow_of != options.one_slow_of / 2 {
                return control.clone();
            }
            let path = self.fleet.folder().join(format!("node-{number}.sock"));
            self.relays.push(FaultProxy::unix(&path, &control));
            self.relayed.insert(number);
            path
        };
        (0..options.nodes).map(socket).collect()
    }

    /// Waits until control reports at least `nodes` nodes that run its head. Returns the time waited.
    ///
    /// # Errors
    /// If that takes too long; the error contains the last count.
    pub async fn control_knows(&self, nodes: usize) -> Result<Duration, String> {
        let current = || async {
            let metrics = Metrics::of_control(self.fleet.api()).await?;
            let current = metrics.labelled("aralez_control_nodes", "state", "current");
            (current >= nodes as u64)
                .then_some(())
                .ok_or_else(|| format!("control knows {current} current nodes of {nodes}"))
        };
        let known = try_eventually(PATIENCE, "control knows all nodes", current).await;
        known.map(|((), took)| took)
    }

    /// Removes one more endpoint by a push, and waits until all simulated nodes run it; if `slow`, all except those behind a relay.
    /// Returns the distribution of the times from before the push until each node runs it.
    ///
    /// # Errors
    /// If the push is not accepted, or nodes do not follow in time.
    pub async fn remove_one(&mut self, slow: bool) -> Result<Spread, String> {
        self.removed += 1;
        let text = document::pairs(self.hosts, self.removed);
        let none = BTreeSet::new();
        let others = if slow { &self.relayed } else { &none };
        self.simulator.board().expect(self.revision + 1);
        let answer = self.fleet.push(&text).await;
        if answer.status != 200 {
            return Err(format!("{}: {}", answer.status, answer.text()));
        }
        self.revision += 1;
        let took = self.simulator.board().all_but(others, PATIENCE).await?;
        Ok(Spread::of(took))
    }

    /// Sets the faults of all relays.
    pub fn set(&self, faults: Faults) {
        self.relays.iter().for_each(|relay| relay.set(faults));
    }

    /// Cuts the streams of the nodes behind a relay.
    pub fn sever(&self) {
        self.relays.iter().for_each(FaultProxy::sever);
    }

    /// Returns the average number of bytes sent to each node behind a relay since the last [`Self::forget_bytes`].
    pub fn relayed_bytes(&self) -> f64 {
        let bytes = self.relays.iter().map(|relay| relay.counts().back());
        bytes.sum::<u64>() as f64 / self.relays.len().max(1) as f64
    }

    /// Resets the byte counts of all relays.
    pub fn forget_bytes(&self) {
        self.relays.iter().for_each(|relay| relay.counts().forget());
    }

    /// Waits until two samples of control's memory, half a second apart, differ by at most 1 %, or until 10 s have passed. Returns the last
    /// sample, in bytes.
    pub async fn settled_memory(&self) -> u64 {
        let mut last = self.fleet.control().memory();
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let now = self.fleet.control().memory();
            if now.abs_diff(last) * 100 <= last {
                return now;
            }
            last = now;
        }
        last
    }
}
