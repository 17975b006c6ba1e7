//! A snapshot: a validated, versioned, complete set of resources, closed under reference.
//!
//! A snapshot that exists is valid: every record decodes, every route's pool exists, every endpoint has a pool, the limits are met. The
//! next one is made from its predecessor and a delta, at the cost of the delta, and shares everything unchanged.

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
    /// Returns the empty snapshot, which precedes all versions.
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
    /// Builds a snapshot from a complete set of records. The roots of the version are computed from the records.
    ///
    /// # Errors
    /// Every fault of every record; if there is none, the dangling references; if there is none, the exceeded limits.
    pub fn complete(version: Version, records: RecordSet, limits: &Limits) -> Result<Self, Faults> {
        let changes: Vec<Change> = records.iter().cloned().map(Change::Put).collect();
        let (resources, _) = Resources::default().with(&changes)?;
        Self::checked(version, records, resources, limits)
    }

    /// Returns the snapshot after a received delta, and what the delta touched. The cost is proportional to the delta.
    ///
    /// # Errors
    /// As [`Snapshot::complete`], and a hash mismatch if the delta does not produce the roots of `version`.
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

    /// Like [`Snapshot::next`], for the author of the delta: the roots of the version are computed from the records.
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

    /// Builds a snapshot from records in any order, and verifies that they produce the roots of `version`. Uses both threads of `join`.
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

    /// Like [`Snapshot::loaded`], from an existing record set.
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

    /// Builds the snapshot of a complete set of records as the successor of this one. Costs only the difference, and shares everything
    /// unchanged. The roots of the version are computed from the records.
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

    /// Returns the same content under another version, for a commit that did not touch this view.
    #[must_use]
    pub fn renamed(&self, version: Version) -> Self {
        Self {
            version: of_records(version, &self.records),
            ..self.clone()
        }
    }

    /// Returns the version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Returns the records.
    pub const fn records(&self) -> &RecordSet {
        &self.records
    }

    /// Returns the decoded resources.
    pub const fn resources(&self) -> &Resources {
        &self.resources
    }
}

/// Returns the version with the roots of these records.
const fn of_records(version: Version, records: &RecordSet) -> Version {
    Version {
        root: records.root(),
        authored_root: records.authored_root(),
        ..version
    }
}

/// Verifies both roots. Trials, good versions and refusals of documents are keyed by the authored root, so it must not be taken on trust.
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
        let reason = format!("digest mismatch: expected {announced}, computed {computed}");
        (announced != computed).then(|| Fault::whole(FaultCode::HashMismatch, field, reason))
    };
    Faults::check(roots.into_iter().filter_map(other).collect())
}

/// A shared snapshot.
pub type SharedSnapshot = Arc<Snapshot>;
