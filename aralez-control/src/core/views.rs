//! Views: the snapshot of every group at one head.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aralez_proto::fault::Faults;
use aralez_proto::model::{GroupName, PoolName};
use aralez_proto::record::{Change, RecordSet};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;

use crate::core::catalog;
use crate::core::layers::Layers;
use crate::core::touched::TouchedGroups;

/// Every group's effective snapshot at one head. A group that no host names has the default view.
#[derive(Clone, Debug, Default)]
pub struct Views {
    default: Arc<Snapshot>,
    named: BTreeMap<GroupName, Arc<Snapshot>>,
}

impl Views {
    /// The views of a history before its first commit.
    pub fn begun(generation: u64) -> Self {
        let version = Version {
            generation,
            ..Version::default()
        };
        Self::default().renamed(version)
    }

    /// The same views under another version, whose roots and operational counter are ignored.
    #[must_use]
    pub fn renamed(&self, version: Version) -> Self {
        let version = Version {
            operational: self.version().operational,
            ..version
        };
        let renamed = |view: &Arc<Snapshot>| Arc::new(view.renamed(version));
        let named = self.named.iter();
        Self {
            default: renamed(&self.default),
            named: named
                .map(|(group, view)| (group.clone(), renamed(view)))
                .collect(),
        }
    }

    /// The version of the head. The root is that of the default view; each view has its own.
    ///
    /// Revision 0 is the time before the first commit: there is nothing yet that a proxy should be told to run.
    pub fn version(&self) -> Version {
        self.default.version()
    }

    /// The snapshot meant for the nodes of a group.
    pub fn view(&self, group: &GroupName) -> Arc<Snapshot> {
        Arc::clone(self.named.get(group).unwrap_or(&self.default))
    }

    /// The view of all groups that no host names.
    pub const fn default_view(&self) -> &Arc<Snapshot> {
        &self.default
    }

    /// The groups that have a view of their own.
    pub fn named(&self) -> impl Iterator<Item = (&GroupName, &Arc<Snapshot>)> {
        self.named.iter()
    }

    /// The views of the layers under another version, whose roots and operational counter are ignored. What did not change is shared with the views before.
    ///
    /// # Errors
    /// What makes the first view that is no snapshot none.
    pub fn next(&self, version: Version, layers: &Layers) -> Result<Self, Faults> {
        let version = Version {
            operational: layers.operational.counter(),
            ..version
        };
        let default = following(&self.default, version, catalog::records(layers, None))?;
        let mut named = BTreeMap::new();
        for group in catalog::named_groups(layers) {
            // A new view begins from the default one, from which it usually differs in a few hosts.
            let before = self.named.get(&group).unwrap_or(&default);
            let view = following(before, version, catalog::records(layers, Some(&group)))?;
            named.insert(group, view);
        }
        Ok(Self { default, named })
    }

    /// The views after the endpoints of some pools changed, under the next sequence. Costs these pools, and a look at the name of every other one.
    ///
    /// # Errors
    /// What makes the first view that is no snapshot none.
    pub fn rediscovered(
        &self,
        layers: &Layers,
        pools: &BTreeSet<PoolName>,
    ) -> Result<Self, Faults> {
        let now = catalog::endpoints_of(layers, pools);
        self.each(layers, |view| {
            Cow::Owned(catalog::endpoints_delta(view, &now))
        })
    }

    /// The views after operational records changed, under the next sequence. Costs what changed.
    ///
    /// # Errors
    /// What makes the first view that is no snapshot none.
    pub fn recorded(&self, layers: &Layers, changes: &[Change]) -> Result<Self, Faults> {
        self.each(layers, |_| Cow::Borrowed(changes))
    }

    /// Every view with a delta of its own, under the next sequence.
    fn each<'a>(
        &self,
        layers: &Layers,
        delta: impl Fn(&Snapshot) -> Cow<'a, [Change]>,
    ) -> Result<Self, Faults> {
        let before = self.version();
        let version = Version {
            sequence: before.sequence + 1,
            operational: layers.operational.counter(),
            ..before
        };
        let next = |view: &Arc<Snapshot>| following_by(view, version, &delta(view));
        Ok(Self {
            default: next(&self.default)?,
            named: self
                .named
                .iter()
                .map(|(group, view)| Ok((group.clone(), next(view)?)))
                .collect::<Result<_, Faults>>()?,
        })
    }

    /// The groups whose view is another than in `before`.
    pub fn touched_since(&self, before: &Self) -> TouchedGroups {
        let differs = |group: &GroupName| {
            let (before, after) = (before.view(group), self.view(group));
            before.version().root != after.version().root
        };
        let groups = before.named.keys().chain(self.named.keys());
        TouchedGroups {
            others: before.default.version().root != self.default.version().root,
            named: groups
                .map(|group| (group.clone(), differs(group)))
                .collect(),
        }
    }
}

fn following(
    before: &Snapshot,
    version: Version,
    records: RecordSet,
) -> Result<Arc<Snapshot>, Faults> {
    let next = before.becoming(version, records, &Limits::default())?;
    Ok(Arc::new(next))
}

fn following_by(
    before: &Snapshot,
    version: Version,
    delta: &[Change],
) -> Result<Arc<Snapshot>, Faults> {
    if delta.is_empty() {
        return Ok(Arc::new(before.renamed(version)));
    }
    let (next, _) = before.changed_by(version, delta, &Limits::default())?;
    Ok(Arc::new(next))
}

#[cfg(test)]
mod tests;
