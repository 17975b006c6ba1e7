//! Nodes whose streams were turned away: they may think that they belong to this fleet, so the operator has to know of them.
//!
//! They are kept apart from the nodes of the fleet: a stranger never takes the place of a good node of the same name.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aralez_proto::model::{GroupName, NodeName};
use aralez_proto::version::Version;

use crate::core::node::{NodeFacts, NodeState};

/// How long a node is listed after its last try: it comes back within a minute for as long as it runs.
const SHOWN: Duration = Duration::from_mins(10);
/// How many are listed; the ones that came longest ago go first.
const MOST: usize = 1_024;

/// A node that was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TurnedAwayNode {
    /// Its group, by its own word.
    pub group: GroupName,
    /// Its release.
    pub proxy_version: String,
    /// [`NodeState::Ahead`] or [`NodeState::Foreign`].
    pub state: NodeState,
    /// Why, as it was told.
    pub reason: String,
    /// What it holds.
    pub held: Option<Version>,
    /// When it was first turned away.
    pub since: Instant,
    /// When it was last.
    pub last: Instant,
}

/// The nodes that were turned away lately.
#[derive(Debug, Default)]
pub struct TurnedAwayNodes(Arc<BTreeMap<NodeName, TurnedAwayNode>>);

impl TurnedAwayNodes {
    /// A node was turned away.
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

    /// A node of this name was let in after all.
    pub fn let_in(&mut self, node: &NodeName) {
        if self.0.contains_key(node) {
            Arc::make_mut(&mut self.0).remove(node);
        }
    }

    /// Forgets those that do not come any more.
    pub fn forget_old(&mut self, now: Instant) {
        let shown = |node: &TurnedAwayNode| now < node.last + SHOWN;
        if !self.0.values().all(shown) {
            Arc::make_mut(&mut self.0).retain(|_, node| shown(node));
        }
    }

    /// All of them by name, shared with those who look at them meanwhile.
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
