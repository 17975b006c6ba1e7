//! The end of a run: after the faults, every node reaches the head or control knows why not, and then no more updates are sent.

use std::time::Duration;

use aralez_control::core::node::{NodeRecord, NodeState};
use aralez_proto::version::Version;

use super::proxies::shown;
use super::{Happening, World};
use crate::model::broken::Promise;
use crate::model::content::{DEADLY, POISON};
use crate::model::setup::Other;

/// Time after the last commit within which every node must be settled. The slowest recoveries are a backoff of
/// 30 s, 37.5 s until a silent stream is given up, 30 s of waiting for an answer, and 30 s after being turned away; some come in sequence.
const BOUND: Duration = Duration::from_secs(240);
/// Interval of the checks.
const LOOK: Duration = Duration::from_secs(5);
/// Time without any update that a settled fleet must show.
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
        // Deliver the messages that a partition or a slow node held up.
        self.hasten(|_| true);
        // The operator discovers the control that was left behind and switches it off.
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
                "a settled fleet changed again".to_owned()
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

    /// Returns the state of a node as reported by the control that it is connected to.
    fn state_of(&self, node: usize) -> Option<NodeState> {
        Some(self.record_of(node)?.state())
    }

    /// Returns the record of a node at the control that it is connected to.
    fn record_of(&self, node: usize) -> Option<&NodeRecord> {
        let at = &self.nodes[node];
        let server = at.process.as_ref()?.machine.connected()?;
        let fleet = &self.controls[at.setup.servers[server]].fleet;
        fleet.nodes().get(&at.name).map(AsRef::as_ref)
    }

    /// Reports whether the connected control knows what a node runs. After a forged Ack it does not, until the next heartbeats.
    fn control_knows(&self, node: usize, runs: Option<Version>) -> bool {
        let says = self.record_of(node).and_then(|at| at.session.running);
        says.map(|says| says.root) == runs.map(|runs| runs.root)
    }

    /// Reports whether control awaits an answer of a node, a recalled view or a derivation for it.
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

    /// Reports whether a node is where it belongs and control agrees.
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
        // The node lost its memory and met the other cluster first: it belongs to that cluster now.
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
