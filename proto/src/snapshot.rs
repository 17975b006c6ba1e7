//! A snapshot: a validated, versioned, complete set of resources, closed under reference.
//!
//! A snapshot that exists is right: every record decodes, every route's pool exists, every endpoint has a pool, the limits hold. The
//! next one is made from the one before and a delta, at the cost of the delta, sharing what did not change.

mod limits;
mod pools;
mod resources;
mod whole;

use std::sync::Arc;

use crate::fault::{Fault, FaultCode, Faults};
use crate::hash::Digest;
use crate::join::Join;
use crate::record::{Change, Record, RecordSet};
use crate::version::Version;

pub use limits::Limits;
pub use pools::Pools;
pub use resources::{Resources, Touched};

#[cfg(test)]
mod tests;

/// A validated, versioned, complete set of resources.
#[derive(Clone, Debug)]
pub struct Snapshot {
    version: Version,
    records: RecordSet,
    resources: Resources,
}

impl Default for Snapshot {
    /// The empty snapshot, before all versions.
    fn default() -> Self {
        let records = RecordSet::default();
        let version = Version {
            root: records.root(),
            ..Version::default()
        };
        Self {
            version,
            records,
            resources: Resources::default(),
        }
    }
}

impl Snapshot {
    /// The snapshot of a complete set of records. The version's root is taken from the records.
    ///
    /// # Errors
    /// Every fault of every record, then dangling references, then limits.
    pub fn complete(version: Version, records: RecordSet, limits: &Limits) -> Result<Self, Faults> {
        let changes: Vec<Change> = records.iter().cloned().map(Change::Put).collect();
        let (resources, _) = Resources::default().with(&changes)?;
        Self::checked(version, records, resources, limits)
    }

    /// The snapshot after a delta, and what the delta touched. Costs the delta.
    ///
    /// # Errors
    /// As [`Snapshot::complete`], and a hash mismatch where the delta does not lead to `version.root`.
    pub fn next(
        &self,
        version: Version,
        delta: &[Change],
        limits: &Limits,
    ) -> Result<(Self, Touched), Faults> {
        let records = self.records.with(delta);
        expect_root(version.root, records.root())?;
        let (resources, touched) = self.resources.with(delta)?;
        Ok((Self::checked(version, records, resources, limits)?, touched))
    }

    /// As [`Snapshot::complete`], of records in any order, and only where they lead to `version.root`. Costs both threads that `join` has.
    ///
    /// # Errors
    /// As [`Snapshot::next`].
    pub fn loaded(
        version: Version,
        records: Vec<Record>,
        limits: &Limits,
        join: &dyn Join,
    ) -> Result<Self, Faults> {
        let records = RecordSet::collected(records, join);
        Self::verified(version, records, limits, join)
    }

    /// As [`Snapshot::loaded`], of a set that is made already.
    ///
    /// # Errors
    /// As [`Snapshot::next`].
    pub fn verified(
        version: Version,
        records: RecordSet,
        limits: &Limits,
        join: &dyn Join,
    ) -> Result<Self, Faults> {
        expect_root(version.root, records.root())?;
        let resources = Resources::of(&records, join)?;
        Self::checked(version, records, resources, limits)
    }

    /// The snapshot of a complete set of records, following this one: costs what differs, and shares what does not. The version's root is
    /// taken from the records.
    ///
    /// # Errors
    /// As [`Snapshot::complete`].
    pub fn becoming(
        &self,
        version: Version,
        records: RecordSet,
        limits: &Limits,
    ) -> Result<Self, Faults> {
        let delta = self.records.delta_to(&records);
        if delta.is_empty() {
            return Ok(self.renamed(version));
        }
        let records = records.sharing(&self.records);
        let (resources, _) = self.resources.with(&delta)?;
        Self::checked(version, records, resources, limits)
    }

    fn checked(
        version: Version,
        records: RecordSet,
        resources: Resources,
        limits: &Limits,
    ) -> Result<Self, Faults> {
        Faults::check(limits.check(&records, &resources))?;
        let version = Version {
            root: records.root(),
            ..version
        };
        Ok(Self {
            version,
            records,
            resources,
        })
    }

    /// The same content under another version: a commit that did not touch this view.
    #[must_use]
    pub fn renamed(&self, version: Version) -> Self {
        Self {
            version: Version {
                root: self.version.root,
                ..version
            },
            ..self.clone()
        }
    }

    /// What it is called.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Its records.
    pub const fn records(&self) -> &RecordSet {
        &self.records
    }

    /// Its resources, decoded.
    pub const fn resources(&self) -> &Resources {
        &self.resources
    }
}

fn expect_root(announced: Digest, computed: Digest) -> Result<(), Faults> {
    if announced == computed {
        return Ok(());
    }
    let reason = format!("the records come to {computed}, announced was {announced}");
    Err(Fault::whole(FaultCode::HashMismatch, "root", reason).into())
}

/// A shared snapshot.
pub type SharedSnapshot = Arc<Snapshot>;
