//! Groups whose configuration a change affects.

use std::collections::BTreeMap;

use aralez_proto::model::GroupName;

/// The groups whose configuration changed. Groups without their own view share one, so they change together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TouchedGroups {
    /// Set if the groups without their own view, both before and after, changed.
    pub others: bool,
    /// Every group that has its own view, before or after, and whether it changed.
    pub named: BTreeMap<GroupName, bool>,
}

impl TouchedGroups {
    /// Reports whether the configuration of this group's nodes changed.
    pub fn contains(&self, group: &GroupName) -> bool {
        self.named.get(group).copied().unwrap_or(self.others)
    }

    /// Reports whether no group is touched.
    pub fn is_empty(&self) -> bool {
        !self.others && !self.named.values().any(|touched| *touched)
    }
}

impl std::fmt::Display for TouchedGroups {
    /// Writes `none`, `all`, or the names, where `others` stands for all groups without their own view.
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
