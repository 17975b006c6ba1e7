//! Faults stop: every node comes to the head, or control knows why not, and then there is rest.

use std::time::Duration;

use aralez_control::core::node::{NodeRecord, NodeState};
use aralez_proto::version::Version;

use super::proxies::shown;
use super::{Happening, World};
use crate::model::broken::Promise;
use crate::model::content::{DEADLY, POISON};
use crate::model::setup::Other;

/// In this time after the last commit every node is where it belongs. The longest ways back are a pause of 30 s, a silence of 37.5 s, an
/// answer that is awaited for 30 s, and being turned away for 30 s, some of them one after the other.
const BOUND: Duration = Duration::from_secs(240);
/// How often it is looked,
const LOOK: Duration = Duration::from_secs(5);
/// and for how long nothing may be sent once it is so.
const REST: Duration = Duration::from_secs(40);

impl World {
    pub(super) fn heal(&mut self) {
        self.note(|| "faults stop".to_owned());
        self.healed = true;
        self.partitions.clear();
        for node in &mut self.nodes {
            node.slow = None;
            node.is_corrupted = false;
            node.disk.state().is_full = false;
        }
        // What waits on a wire that was held up goes on now.
        self.hasten(|_| true);
        // Who was left behind is found out and switched off.
        if self.setup.other == Other::LeftBehind {
            self.stop_control(1);
            self.controls[1].is_gone = true;
        }
        self.plan(Duration::from_secs(2), Happening::LastCommit);
    }

    pub(super) fn commit_last(&mut self) {
        if !self.controls[0].is_up {
            return self.plan(Duration::from_secs(1), Happening::LastCommit);
        }
        self.last_commit = Some(self.now);
        let nodes: Vec<usize> = self.controls[0]
            .serving
            .values()
            .map(|serving| serving.node)
            .collect();
        if self.random.chance(35) {
            self.swallow = self.random.pick(&nodes);
        }
        let from = if self.random.chance(30) {
            DEADLY
        } else {
            POISON
        };
        self.mend_from(from);
        self.plan(LOOK, Happening::Settled);
    }

    pub(super) fn look_whether_settled(&mut self) {
        let began = self.last_commit.unwrap_or_default();
        let astray = (0..self.nodes.len()).find(|node| !self.is_settled(*node));
        let sent = self.run.updates;
        match (astray, self.rested) {
            (None, None) => {
                self.rested = Some((self.now, sent));
                self.run.settled_after = self.now.saturating_sub(began);
            }
            (None, Some((since, before))) if before == sent => {
                self.done = self.now >= since + REST;
            }
            (_, Some(_)) => self.breaks(Promise::ComesToRest, || {
                "what had settled moved again".to_owned()
            }),
            (Some(node), None) if self.now >= began + BOUND => self.tell_astray(node),
            (Some(_), None) => {}
        }
        self.plan(LOOK, Happening::Settled);
    }

    fn tell_astray(&mut self, node: usize) {
        let head = self.controls[0].head();
        let process = self.nodes[node].process.as_ref();
        let runs = process.and_then(|process| process.runs());
        let connected = process.and_then(|process| process.machine.connected());
        let state = self.state_of(node).map(NodeState::name);
        self.breaks(Promise::Converges, || {
            format!(
                "the head is {head}, n{node} runs {}, is connected to {connected:?} and {state:?}",
                shown(runs)
            )
        });
    }

    /// How the control that a node is connected to says that it is doing.
    fn state_of(&self, node: usize) -> Option<NodeState> {
        Some(self.record_of(node)?.state())
    }

    /// What the control that a node is connected to knows of it.
    fn record_of(&self, node: usize) -> Option<&NodeRecord> {
        let at = &self.nodes[node];
        let server = at.process.as_ref()?.machine.connected()?;
        let fleet = &self.controls[at.setup.servers[server]].fleet;
        fleet.nodes().get(&at.name).map(AsRef::as_ref)
    }

    /// Whether a node runs what the control that it is connected to says. Where an Ack was made up it does not, until the next heartbeats.
    fn control_knows(&self, node: usize, runs: Option<Version>) -> bool {
        let says = self.record_of(node).and_then(|at| at.standing.running);
        says.map(|says| says.root) == runs.map(|runs| runs.root)
    }

    /// Whether an answer of a node, or what it runs, is awaited.
    fn is_busy(&self, node: usize) -> bool {
        let mut served = self
            .controls
            .iter()
            .flat_map(|control| control.serving.values());
        served.any(|serving| {
            let waits = serving.recalls || serving.derives;
            serving.node == node && (serving.open.is_some() || waits)
        })
    }

    /// Whether a node is where it belongs, and control says so.
    fn is_settled(&self, node: usize) -> bool {
        let newest = self.controls[0].recent.newest();
        let head = newest.version();
        let runs = self.nodes[node]
            .process
            .as_ref()
            .and_then(|process| process.runs());
        let runs_head =
            runs.is_some_and(|runs| runs.root == head.root && runs.order(&head).is_eq());
        let own = self.controls[0].cluster;
        let at = &self.nodes[node];
        // It lost all that it remembered and met the other cluster first: it belongs there now.
        if at.cluster.as_deref().is_some_and(|cluster| cluster != own) {
            return true;
        }
        match self.state_of(node) {
            Some(NodeState::Current) => runs_head,
            Some(NodeState::Refusing) => {
                let known = self.control_knows(node, runs);
                known && !runs_head && !self.is_busy(node) && self.may_refuse(node, newest)
            }
            _ => false,
        }
    }
}
