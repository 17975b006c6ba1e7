//! Control and its fleet: complete proxies as processes, simulated nodes, and relays before some of them.

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

/// How long anything may take before it has failed.
const PATIENCE: Duration = Duration::from_secs(180);

/// A fleet of full size.
#[derive(Debug)]
pub struct FleetStage {
    /// Control and the complete proxies.
    pub fleet: Fleet,
    /// The simulated nodes.
    pub simulator: Simulator,
    /// Those of them that have a relay before them.
    pub relayed: BTreeSet<usize>,
    relays: Vec<FaultProxy>,
    hosts: usize,
    removed: usize,
    /// The head.
    pub revision: u64,
    /// Control's memory before the first simulated node came, in bytes.
    pub memory_before: u64,
    /// How long all of them took to come.
    pub joined: Duration,
}

impl FleetStage {
    /// Starts everything, and waits until all run the first revision.
    ///
    /// # Errors
    /// What did not come up.
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

    /// Waits until control says that so many nodes run its head.
    ///
    /// # Errors
    /// How many do.
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

    /// Removes one more endpoint by a push, and waits until all simulated nodes but those with a relay, where they are `slow`, run it.
    /// How the time spreads from before the push to the moment at which each node runs it.
    ///
    /// # Errors
    /// What did not come.
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

    /// Sets what fails on the way to the nodes that have a relay.
    pub fn set(&self, faults: Faults) {
        self.relays.iter().for_each(|relay| relay.set(faults));
    }

    /// Ends the streams of the nodes that have a relay.
    pub fn sever(&self) {
        self.relays.iter().for_each(FaultProxy::sever);
    }

    /// Bytes that went to the nodes that have a relay since they were last forgotten, for each node.
    pub fn relayed_bytes(&self) -> f64 {
        let bytes = self.relays.iter().map(|relay| relay.counts().back());
        bytes.sum::<u64>() as f64 / self.relays.len().max(1) as f64
    }

    /// Begins to count them anew.
    pub fn forget_bytes(&self) {
        self.relays.iter().for_each(|relay| relay.counts().forget());
    }

    /// Control's memory in bytes once it has settled: two looks half a second apart are within a hundredth.
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
