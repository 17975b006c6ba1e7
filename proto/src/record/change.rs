//! Changes of a set.

use crate::record::key::RecordKey;
use crate::record::keyed::Record;

/// One change of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Add or replace.
    Put(Record),
    /// Take away.
    Delete(RecordKey),
}

impl Change {
    /// The key that changes.
    pub const fn key(&self) -> &RecordKey {
        match self {
            Self::Put(record) => &record.key,
            Self::Delete(key) => key,
        }
    }
}

/// What turns one set into another.
pub type Delta = Vec<Change>;
