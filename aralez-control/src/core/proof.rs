//! The proof of a commit: which nodes of the touched groups run it, and which refuse.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use aralez_proto::fault::Fault;
use aralez_proto::model::{GroupName, NodeName};
use aralez_proto::version::Version;

use crate::core::node::NodeRecord;
use crate::core::session::SessionState;
use crate::core::touched::TouchedGroups;

mod counts;
mod settled;

pub use counts::MarkCounts;
pub use settled::DecidedUpTo;

#[cfg(test)]
mod tests;

/// Maximum number of revisions with a proof.
const KEPT: usize = 100;
/// Maximum number of marks over all proofs: a large fleet has fewer proofs.
const MAX_MARKS: usize = 200_000;

/// State of a commit on one node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mark {
    /// It has not answered yet: it has a stream, or had one before control restarted and is expected to reconnect.
    Pending,
    /// It runs this revision.
    Applied,
    /// It runs a later revision.
    Superseded,
    /// It refuses the revision, for these reasons.
    Refused(Arc<[Fault]>),
    /// Two running processes have its name, so its reports prove nothing.
    Duplicate,
    /// It left without an answer, or did not reconnect in time after a restart of control.
    Lost,
    /// It was not connected at the commit, or it ran the revision and left.
    Away,
}

impl Mark {
    /// Returns the name used in JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Superseded => "superseded",
            Self::Refused(_) => "refused",
            Self::Duplicate => "duplicate",
            Self::Lost => "lost",
            Self::Away => "away",
        }
    }
}

/// State of a commit as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Some nodes have not answered yet.
    Pending,
    /// Every node that was or became connected runs it.
    Proven,
    /// A node refuses it.
    Refused,
    /// No node is awaited any more, and the commit is not proven: nodes were lost or are duplicates, or no node runs it.
    Unproven,
}

impl Outcome {
    /// Returns the name used in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Proven => "proven",
            Self::Refused => "refused",
            Self::Unproven => "unproven",
        }
    }
}

/// The nodes that a client waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Awaited {
    /// Those that were connected at the commit or joined later.
    Present,
    /// All known nodes.
    All,
}

impl Awaited {
    /// Returns the name used in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::All => "all",
        }
    }
}

/// The proof of one revision.
#[derive(Clone, Debug)]
pub struct Proof {
    version: Version,
    touched: TouchedGroups,
    nodes: BTreeMap<NodeName, Mark>,
    counts: MarkCounts,
}

impl Proof {
    /// Returns the nodes of the touched groups, with their marks.
    pub const fn nodes(&self) -> &BTreeMap<NodeName, Mark> {
        &self.nodes
    }

    /// Returns the state of the commit as a whole. One refusal outweighs everything else.
    pub fn outcome(&self) -> Outcome {
        self.outcome_with(Awaited::Present)
    }

    /// Like [`Proof::outcome`], for the given set of awaited nodes.
    pub fn outcome_with(&self, awaited: Awaited) -> Outcome {
        self.counts.outcome(awaited)
    }

    /// Returns the number of nodes with each mark.
    pub const fn counts(&self) -> MarkCounts {
        self.counts
    }

    fn put(&mut self, node: &NodeName, mark: Mark) {
        *self.counts.of(&mark) += 1;
        if let Some(before) = self.nodes.insert(node.clone(), mark) {
            *self.counts.of(&before) -= 1;
        }
    }

    fn remove(&mut self, node: &NodeName) {
        if let Some(before) = self.nodes.remove(node) {
            *self.counts.of(&before) -= 1;
        }
    }

    /// Replaces the mark of a node, if it has one and `next` returns another.
    fn change(&mut self, node: &NodeName, next: impl FnOnce(&Mark) -> Option<Mark>) {
        let Some(mark) = self.nodes.get_mut(node) else {
            return;
        };
        if let Some(next) = next(mark) {
            self.counts.moved(mark, &next);
            *mark = next;
        }
    }

    /// Reports whether nodes of `group` belong to this proof. A commit that changes no view, but for example a comment, is still sent to
    /// every node.
    fn awaits(&self, group: &GroupName) -> bool {
        self.touched.is_empty() || self.touched.contains(group)
    }

    /// Returns the mark that follows from a node's state. Only this revision, or a later one of the same generation, proves anything.
    fn mark_of(&self, state: &SessionState, duplicate: bool) -> Mark {
        let of_this_history = |running: &Version| running.generation == self.version.generation;
        let running = state.proven().filter(of_this_history);
        let order = running.map(|running| running.order(&self.version));
        let refused = state
            .refused
            .as_ref()
            .filter(|_| state.target.order(&self.version).is_ge());
        match (order, refused) {
            (None | Some(Ordering::Less), Some(refused)) => {
                Mark::Refused(Arc::clone(&refused.faults))
            }
            _ if duplicate => Mark::Duplicate,
            (Some(Ordering::Equal), _) => Mark::Applied,
            (Some(Ordering::Greater), _) => Mark::Superseded,
            (None | Some(Ordering::Less), None) => Mark::Pending,
        }
    }

    fn observe(&mut self, who: Observed<'_>, state: &SessionState) {
        if !self.awaits(who.group) {
            return;
        }
        let mark = self.mark_of(state, who.duplicate);
        let Some(before) = self.nodes.get_mut(who.node) else {
            return self.put(who.node, mark);
        };
        // A refusal is undone by running this revision, but not by running a later one.
        let refused = matches!(before, Mark::Refused(_));
        if !refused || matches!(mark, Mark::Applied | Mark::Refused(_)) {
            self.counts.moved(before, &mark);
            *before = mark;
        }
    }
}

/// The node that an observation is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observed<'a> {
    pub(super) node: &'a NodeName,
    pub(super) group: &'a GroupName,
    /// Set if another running process has its name.
    pub(super) duplicate: bool,
}

/// The proofs of the last revisions.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    by_revision: BTreeMap<u64, Proof>,
}

impl Proofs {
    /// Begins the proof of a commit: nodes that have a stream are awaited, the others are listed.
    pub(super) fn begin(
        &mut self,
        version: Version,
        touched: &TouchedGroups,
        nodes: &BTreeMap<NodeName, Arc<NodeRecord>>,
    ) {
        let same = |proof: &Proof| proof.version.order(&version).is_eq();
        if self.by_revision.get(&version.revision).is_some_and(same) {
            return;
        }
        let mut proof = Proof {
            version,
            touched: touched.clone(),
            nodes: BTreeMap::new(),
            counts: MarkCounts::default(),
        };
        for (node, record) in nodes {
            if record.stream.is_some() {
                let who = Observed {
                    node,
                    group: &record.group,
                    duplicate: record.duplicate.is_some(),
                };
                proof.observe(who, &record.session);
            } else if proof.awaits(&record.group) {
                let expected = record.expected_until.is_some();
                let mark = if expected { Mark::Pending } else { Mark::Away };
                proof.put(node, mark);
            }
        }
        self.by_revision.insert(version.revision, proof);
        while self.by_revision.len() > KEPT || self.holds_too_much() {
            self.by_revision.pop_first();
        }
    }

    /// Reports whether there are more marks than are kept. The newest two proofs are always kept.
    fn holds_too_much(&self) -> bool {
        let marks = self.by_revision.values().map(|proof| proof.nodes.len());
        self.by_revision.len() > 2 && marks.sum::<usize>() > MAX_MARKS
    }

    /// Records the state of a connected node. Evaluates only revisions that are not settled, and returns the new bound.
    #[must_use]
    pub(super) fn observe(
        &mut self,
        who: Observed<'_>,
        state: &SessionState,
        settled: DecidedUpTo,
    ) -> DecidedUpTo {
        let settled = settled.here(state);
        let here = |running: &Version| running.generation == state.target.generation;
        let runs = state.proven().filter(here);
        let runs = runs.map(|running| running.revision);
        let first = settled.first(runs);
        // Always evaluate the running revision, which undoes a refusal, and the one that ran before, which is now superseded.
        let ran = settled.ran().filter(|ran| Some(*ran) != runs);
        for revision in ran.into_iter().chain(runs) {
            let earlier = self.by_revision.get_mut(&revision);
            if let Some(proof) = earlier.filter(|_| revision < first) {
                proof.observe(who, state);
            }
        }
        for proof in self.by_revision.range_mut(first..).map(|(_, proof)| proof) {
            proof.observe(who, state);
        }
        if who.duplicate {
            // Evaluate everything again once the other process is gone.
            return DecidedUpTo::default();
        }
        settled.after(state, runs)
    }

    /// Records that a node refused a version that it was sent.
    pub(super) fn refused(&mut self, node: &NodeName, version: Version, faults: &Arc<[Fault]>) {
        let proof = self
            .by_revision
            .get_mut(&version.revision)
            .filter(|proof| proof.version.order(&version).is_eq());
        let refused = |mark: &Mark| {
            let settled = matches!(mark, Mark::Applied | Mark::Superseded);
            (!settled).then(|| Mark::Refused(Arc::clone(faults)))
        };
        if let Some(proof) = proof {
            proof.change(node, refused);
        }
    }

    /// Records that another running process has the name of a node.
    pub(super) fn duplicated(&mut self, node: &NodeName) {
        self.change(node, |mark| {
            let said = matches!(mark, Mark::Applied | Mark::Superseded | Mark::Pending);
            said.then_some(Mark::Duplicate)
        });
    }

    /// Stops waiting for a node.
    pub(super) fn lost(&mut self, node: &NodeName) {
        self.change(node, |mark| (*mark == Mark::Pending).then_some(Mark::Lost));
    }

    /// Records that a node's stream closed: it no longer proves what it ran, and it will not answer what is pending.
    pub(super) fn left(&mut self, node: &NodeName) {
        self.change(node, |mark| match mark {
            Mark::Pending => Some(Mark::Lost),
            Mark::Applied | Mark::Superseded | Mark::Duplicate => Some(Mark::Away),
            Mark::Refused(_) | Mark::Lost | Mark::Away => None,
        });
    }

    /// Removes a node that is no longer part of the fleet.
    pub(super) fn forget(&mut self, node: &NodeName) {
        for proof in self.by_revision.values_mut() {
            proof.remove(node);
        }
    }

    fn change(&mut self, node: &NodeName, next: impl Fn(&Mark) -> Option<Mark>) {
        for proof in self.by_revision.values_mut() {
            proof.change(node, &next);
        }
    }

    pub(super) fn of(&self, revision: u64) -> Option<&Proof> {
        self.by_revision.get(&revision)
    }
}
