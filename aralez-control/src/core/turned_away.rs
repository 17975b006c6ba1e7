//! Nodes whose streams were turned away. They may be configured for this fleet, so the operator sees them.
//!
//! They are kept apart from the nodes of the fleet: a stranger never replaces a good node of the same name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::model::{GroupName, NodeName};
use aralez_proto::version::Version;

use crate::core::node::{NodeFacts, NodeState};

/// Time that a node is listed after its last try: a running node retries within a minute.
const SHOWN: Duration = Duration::from_mins(10);
/// Maximum number of listed nodes; the ones whose last try is oldest are dropped first.
const MOST: usize = 1_024;

/// A node that was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAwayNode {
    /// The group that the node claims.
    pub group: GroupName,
    /// The node's release.
    pub proxy_version: String,
    /// [`NodeState::Ahead`] or [`NodeState::Foreign`].
    pub state: NodeState,
    /// The reason that the node received.
    pub reason: String,
    /// The version that the node holds.
    pub held: Option<Version>,
    /// Time of the first refusal.
    pub since: Instant,
    /// Time of the last refusal.
    pub last: Instant,
}

/// The nodes that were turned away recently.
#[derive(Debug, Default)]
pub struct TurnedAwayNodes(Arc<BTreeMap<NodeName, TurnedAwayNode>>);

impl TurnedAwayNodes {
    /// Records that a node was turned away.
    pub fn add(
        &mut self,
        facts: NodeFacts,
        state: NodeState,
        (reason, held): (String, Option<Version>),
        now: Instant,
    ) {
        self.forget_old(now);
        let since = self.0.get(&facts.node).map_or(now, |before| before.since);
        let node = TurnedAwayNode {
            group: facts.group,
            proxy_version: facts.proxy_version,
            state,
            reason,
            held,
            since,
            last: now,
        };
        let all = Arc::make_mut(&mut self.0);
        all.insert(facts.node, node);
        if all.len() > MOST {
            let oldest = all.iter().min_by_key(|(_, node)| node.last);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                all.remove(&oldest);
            }
        }
    }

    /// Removes a node that was admitted after all.
    pub fn let_in(&mut self, node: &NodeName) {
        if self.0.contains_key(node) {
            Arc::make_mut(&mut self.0).remove(node);
        }
    }

    /// Removes the nodes that have stopped retrying.
    pub fn forget_old(&mut self, now: Instant) {
        let shown = |node: &TurnedAwayNode| now < node.last + SHOWN;
        if !self.0.values().all(shown) {
            Arc::make_mut(&mut self.0).retain(|_, node| shown(node));
        }
    }

    /// Returns all of them by name, shared with concurrent readers.
    pub const fn all(&self) -> &Arc<BTreeMap<NodeName, TurnedAwayNode>> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str) -> NodeFacts {
        NodeFacts {
            node: name.parse().unwrap(),
            group: "default".parse().unwrap(),
            proxy_version: "0.10.0".to_owned(),
            peer: None,
        }
    }

    #[test]
    fn a_node_is_listed_from_its_first_try_until_ten_minutes_after_its_last() {
        let start = Instant::now();
        let mut nodes = TurnedAwayNodes::default();
        let minute = Duration::from_mins(1);
        for tries in 0..3 {
            let why = ("another cluster".to_owned(), None);
            nodes.add(facts("n1"), NodeState::Foreign, why, start + minute * tries);
        }
        let node = &nodes.all()[&"n1".parse().unwrap()];
        assert_eq!((node.since, node.last), (start, start + minute * 2));
        nodes.forget_old(start + minute * 11);
        assert_eq!(nodes.all().len(), 1);
        nodes.forget_old(start + minute * 12);
        assert!(nodes.all().is_empty());
    }

    #[test]
    fn strangers_with_ever_other_names_take_bounded_room() {
        let now = Instant::now();
        let mut nodes = TurnedAwayNodes::default();
        for number in 0..2 * MOST {
            let why = (String::new(), None);
            nodes.add(facts(&format!("n{number}")), NodeState::Ahead, why, now);
        }
        assert_eq!(nodes.all().len(), MOST);
    }
}
