//! Versions of snapshots: (generation, revision) orders them, the root proves their content.

use std::cmp::Ordering;
use std::fmt;

use crate::hash::Digest;

/// The version of one snapshot.
///
/// Versions are ordered by generation, then revision. Discovery changes records without a revision, so two versions of the same
/// (generation, revision) may have different roots. The type therefore has no `Ord`; use [`Version::order`] explicitly. `sequence` counts
/// discovered changes within one boot of control and is informative only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Version {
    /// Changes only when history is restored or started over.
    pub generation: u64,
    /// The durable commit number within the ledger.
    pub revision: u64,
    /// Counts discovery within one boot of control.
    pub sequence: u64,
    /// The durable counter of the operational layer; compared within one generation only.
    pub operational: u64,
    /// The root hash over all records.
    pub root: Digest,
    /// The root hash over the authored records. Trials, good versions and refusals of documents are keyed by it.
    pub authored_root: Digest,
}

impl Version {
    /// Compares positions in history. Does not compare content.
    pub fn order(&self, other: &Self) -> Ordering {
        (self.generation, self.revision).cmp(&(other.generation, other.revision))
    }

    /// Reports whether a node that runs `held` would go backwards with this version: in history, or in the operational layer of the same
    /// generation.
    pub fn goes_back_from(&self, held: &Self) -> bool {
        let older = self.generation == held.generation && self.operational < held.operational;
        older || self.order(held).is_lt()
    }

    /// Reports whether this version has the records of `held` under a newer name.
    pub fn renames(&self, held: &Self) -> bool {
        let newer = self.operational > held.operational || self.order(held).is_gt();
        self.root == held.root && newer && !self.goes_back_from(held)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{} ({})",
            self.generation,
            self.revision,
            self.root.short()
        )
    }
}
