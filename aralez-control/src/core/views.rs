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

/// Every group's effective snapshot at one head. A group that no host names uses the default view.
#[derive(Clone, Debug, Default)]
pub struct Views {
    default: Arc<Snapshot>,
    named: BTreeMap<GroupName, Arc<Snapshot>>,
}

impl Views {
    /// Returns the views of a history before its first commit.
    pub fn begun(generation: u64) -> Self {
        let version = Version {
            generation,
            ..Version::default()
        };
        Self::default().with_version(version)
    }

    /// Returns the same views under another version, whose roots and operational counter are ignored.
    #[must_use]
    pub fn with_version(&self, version: Version) -> Self {
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

    /// Returns the version of the head. Its root is that of the default view; each view has its own.
    ///
    /// Revision 0 is the state before the first commit: there is nothing yet that a proxy should run.
    pub fn version(&self) -> Version {
        self.default.version()
    }

    /// Returns the snapshot for the nodes of a group.
    pub fn view(&self, group: &GroupName) -> Arc<Snapshot> {
        Arc::clone(self.named.get(group).unwrap_or(&self.default))
    }

    /// Returns the view of all groups that no host names.
    pub const fn default_view(&self) -> &Arc<Snapshot> {
        &self.default
    }

    /// Returns the groups that have their own view.
    pub fn named(&self) -> impl Iterator<Item = (&GroupName, &Arc<Snapshot>)> {
        self.named.iter()
    }

    /// Returns the views of the layers under another version, whose roots and operational counter are ignored. Unchanged parts are shared
    /// with the previous views.
    ///
    /// # Errors
    /// The faults of the first view that is not a valid snapshot.
    pub fn next(&self, version: Version, layers: &Layers) -> Result<Self, Faults> {
        let version = Version {
            operational: layers.operational.counter(),
            ..version
        };
        let default = following(&self.default, version, catalog::records(layers, None))?;
        let mut named = BTreeMap::new();
        for group in catalog::named_groups(layers) {
            // A new view starts from the default one, from which it usually differs in a few hosts.
            let before = self.named.get(&group).unwrap_or(&default);
            let view = following(before, version, catalog::records(layers, Some(&group)))?;
            named.insert(group, view);
        }
        Ok(Self { default, named })
    }

    /// Returns the views after the endpoints of some pools changed, under the next sequence. The cost is proportional to these pools, plus
    /// one name comparison for every other pool.
    ///
    /// # Errors
    /// The faults of the first view that is not a valid snapshot.
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

    /// Returns the views after operational records changed, under the next sequence. The cost is proportional to the changes.
    ///
    /// # Errors
    /// The faults of the first view that is not a valid snapshot.
    pub fn recorded(&self, layers: &Layers, changes: &[Change]) -> Result<Self, Faults> {
        self.each(layers, |_| Cow::Borrowed(changes))
    }

    /// Applies a delta to each view, under the next sequence.
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

    /// Returns the groups whose view differs from that in `before`.
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
