//! Whose configuration a change touches.

use std::collections::BTreeMap;

use aralez_proto::model::GroupName;

/// Which groups see another configuration than before. Groups without a view of their own share one, so they change together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TouchedGroups {
    /// Whether the groups that have no view of their own, before and after, are touched.
    pub others: bool,
    /// Every group that has a view of its own, before or after, and whether it is touched.
    pub named: BTreeMap<GroupName, bool>,
}

impl TouchedGroups {
    /// Whether the nodes of this group see another configuration.
    pub fn contains(&self, group: &GroupName) -> bool {
        self.named.get(group).copied().unwrap_or(self.others)
    }

    /// Whether no group is touched.
    pub fn is_empty(&self) -> bool {
        !self.others && !self.named.values().any(|touched| *touched)
    }
}

impl std::fmt::Display for TouchedGroups {
    /// `none`, `all`, or the names, where `others` stands for all groups without a view of their own.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        if self.others && self.named.values().all(|touched| *touched) {
            return f.write_str("all");
        }
        let named = self.named.iter().filter(|(_, touched)| **touched);
        let names = named.map(|(name, _)| name.as_str());
        let names: Vec<&str> = names.chain(self.others.then_some("others")).collect();
        f.write_str(&names.join(" "))
    }
}
