//! What a snapshot is called: (generation, revision) orders, the root proves.

use std::cmp::Ordering;
use std::fmt;

use crate::hash::Digest;

/// The name of one snapshot (design section 6).
///
/// Two versions compare by generation, then revision. `sequence` counts discovery within one boot of control and only informs, and an
/// equal (generation, revision) with another root is an ordinary difference: so this type has no `Ord`, and comparing asks for
/// [`Version::order`] by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Version {
    /// Changes only when history is restored or begun anew.
    pub generation: u64,
    /// The durable commit number within the ledger.
    pub revision: u64,
    /// Counts discovery within one boot of control.
    pub sequence: u64,
    /// The durable counter of the operational layer; compared within one generation only.
    pub operational: u64,
    /// The root hash over all records.
    pub root: Digest,
    /// The root hash over the records that documents make: what trials, good versions and refusals are keyed by.
    pub authored_root: Digest,
}

impl Version {
    /// The order of history; says nothing about content.
    pub fn order(&self, other: &Self) -> Ordering {
        (self.generation, self.revision).cmp(&(other.generation, other.revision))
    }

    /// Whether a node that runs `held` would go backwards with this: in history, or in the operational layer of the same generation.
    pub fn goes_back_from(&self, held: &Self) -> bool {
        let older = self.generation == held.generation && self.operational < held.operational;
        older || self.order(held).is_lt()
    }

    /// Whether this is a newer name than `held`, should both have the same records.
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
