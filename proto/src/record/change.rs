//! Changes to a record set.

use crate::record::key::RecordKey;
use crate::record::keyed::Record;

/// One change to a record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Adds or replaces a record.
    Put(Record),
    /// Removes a record.
    Delete(RecordKey),
}

impl Change {
    /// Returns the key of the record that changes.
    pub const fn key(&self) -> &RecordKey {
        match self {
            Self::Put(record) => &record.key,
            Self::Delete(key) => key,
        }
    }
}

/// The changes that turn one set into another.
pub type Delta = Vec<Change>;
