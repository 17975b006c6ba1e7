//! A snapshot: a validated, versioned, complete set of resources, closed under reference.
//!
//! A snapshot that exists is right: every record decodes, every route's pool exists, every endpoint has a pool, the limits hold. The
//! next one is made from the one before and a delta, at the cost of the delta, sharing what did not change.

mod endpoints;
mod limits;
mod pools;
mod resources;
mod whole;

use std::sync::Arc;

use crate::fault::{Fault, FaultCode, Faults};
use crate::hash::Digest;
use crate::parallel::Join;
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
        Self {
            version: of_records(Version::default(), &records),
            records,
            resources: Resources::default(),
        }
    }
}

impl Snapshot {
    /// The snapshot of a complete set of records. The version's roots are taken from the records.
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
    /// As [`Snapshot::complete`], and a hash mismatch where the delta does not lead to the roots of `version`.
    pub fn next(
        &self,
        version: Version,
        delta: &[Change],
        limits: &Limits,
    ) -> Result<(Self, Touched), Faults> {
        let records = self.records.with(delta);
        expect_roots(&version, &records)?;
        self.with(version, records, delta, limits)
    }

    /// As [`Snapshot::next`], for whoever made the delta: the version's roots are taken from the records.
    ///
    /// # Errors
    /// As [`Snapshot::complete`].
    pub fn changed_by(
        &self,
        version: Version,
        delta: &[Change],
        limits: &Limits,
    ) -> Result<(Self, Touched), Faults> {
        self.with(version, self.records.with(delta), delta, limits)
    }

    fn with(
        &self,
        version: Version,
        records: RecordSet,
        delta: &[Change],
        limits: &Limits,
    ) -> Result<(Self, Touched), Faults> {
        let (resources, touched) = self.resources.with(delta)?;
        Ok((Self::checked(version, records, resources, limits)?, touched))
    }

    /// As [`Snapshot::complete`], of records in any order, and only where they lead to the roots of `version`. Costs both threads that `join` has.
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
        expect_roots(&version, &records)?;
        let resources = Resources::of(&records, join)?;
        Self::checked(version, records, resources, limits)
    }

    /// The snapshot of a complete set of records, following this one: costs what differs, and shares what does not. The version's roots are
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
        Ok(Self {
            version: of_records(version, &records),
            records,
            resources,
        })
    }

    /// The same content under another version: a commit that did not touch this view.
    #[must_use]
    pub fn renamed(&self, version: Version) -> Self {
        Self {
            version: of_records(version, &self.records),
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

/// The version with the roots of these records.
const fn of_records(version: Version, records: &RecordSet) -> Version {
    Version {
        root: records.root(),
        authored_root: records.authored_root(),
        ..version
    }
}

/// Both roots, so that what is remembered by the authored one cannot be led astray by a number that nobody proved.
fn expect_roots(announced: &Version, records: &RecordSet) -> Result<(), Faults> {
    let roots = [
        ("root", announced.root, records.root()),
        (
            "authored_root",
            announced.authored_root,
            records.authored_root(),
        ),
    ];
    let other = |(field, announced, computed): (&str, Digest, Digest)| {
        let reason = format!("the records come to {computed}, announced was {announced}");
        (announced != computed).then(|| Fault::whole(FaultCode::HashMismatch, field, reason))
    };
    Faults::check(roots.into_iter().filter_map(other).collect())
}

/// A shared snapshot.
pub type SharedSnapshot = Arc<Snapshot>;
