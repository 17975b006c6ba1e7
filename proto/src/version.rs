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
    /// The root hash over all records.
    pub root: Digest,
}

impl Version {
    /// The order of history; says nothing about content.
    pub fn order(&self, other: &Self) -> Ordering {
        (self.generation, self.revision).cmp(&(other.generation, other.revision))
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
