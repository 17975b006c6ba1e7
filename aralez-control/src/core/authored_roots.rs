//! The authored root of each group at commit time. The ledger keeps it with the revision, and every start compares it, to detect a release
//! that lowers the same documents differently.

use std::collections::BTreeMap;

use aralez_proto::hash::Digest;
use aralez_proto::model::GroupName;

use crate::core::touched::TouchedGroups;
use crate::core::views::Views;

/// The authored roots of the views of one revision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuthoredRoots {
    /// Of all groups that no host names.
    pub default: Digest,
    /// Of each group that has its own view.
    pub named: BTreeMap<GroupName, Digest>,
}

impl AuthoredRoots {
    /// Collects the authored roots of `views`.
    pub fn of(views: &Views) -> Self {
        let named = views.named();
        Self {
            default: views.version().authored_root,
            named: named
                .map(|(group, view)| (group.clone(), view.version().authored_root))
                .collect(),
        }
    }

    fn root(&self, group: &GroupName) -> Digest {
        self.named.get(group).copied().unwrap_or(self.default)
    }

    /// Returns the groups whose root differs in `other`.
    pub fn differing(&self, other: &Self) -> TouchedGroups {
        let groups = self.named.keys().chain(other.named.keys());
        TouchedGroups {
            others: self.default != other.default,
            named: groups
                .map(|group| (group.clone(), self.root(group) != other.root(group)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(default: u8, named: &[(&str, u8)]) -> AuthoredRoots {
        let digest = |byte| Digest::from([byte; 32]);
        let named = named.iter();
        AuthoredRoots {
            default: digest(default),
            named: named
                .map(|(group, byte)| (group.parse().unwrap(), digest(*byte)))
                .collect(),
        }
    }

    #[test]
    fn groups_that_would_run_something_else_are_named() {
        let kept = roots(1, &[("a", 2), ("b", 3)]);
        assert!(kept.differing(&kept).is_empty());
        let differing = |other: AuthoredRoots| kept.differing(&other).to_string();
        assert_eq!(differing(roots(1, &[("a", 2), ("b", 4)])), "b");
        // A group that no host names any more has the default view.
        assert_eq!(differing(roots(1, &[("b", 3)])), "a");
        assert_eq!(differing(roots(9, &[("a", 2), ("b", 3)])), "others");
    }
}
