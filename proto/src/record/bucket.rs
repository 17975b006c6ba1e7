//! One bucket of a record set: its records and the hash over them.

use std::sync::{Arc, OnceLock};

use crate::hash::Digest;
use crate::record::change::Change;
use crate::record::key::RecordKey;
use crate::record::keyed::Record;

/// Records in ascending key order, with the hash over their sorted leaves.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) records: Vec<Record>,
    pub(super) hash: Digest,
}

impl Bucket {
    pub(super) fn new(records: Vec<Record>) -> Self {
        let mut leaves: Vec<Digest> = records.iter().map(Record::leaf).collect();
        leaves.sort_unstable();
        let fields: Vec<&[u8]> = leaves
            .iter()
            .map(|leaf| leaf.as_bytes().as_slice())
            .collect();
        Self {
            hash: Digest::of_fields(&fields),
            records,
        }
    }

    /// Returns the shared empty bucket. Most buckets of a new set are empty.
    pub(super) fn empty() -> Arc<Self> {
        static EMPTY: OnceLock<Arc<Bucket>> = OnceLock::new();
        Arc::clone(EMPTY.get_or_init(|| Arc::new(Self::new(Vec::new()))))
    }

    /// Builds a bucket from records in arrival order. The last record of a key wins.
    pub(super) fn of(mut records: Vec<Record>) -> Self {
        if !records.is_sorted_by(|left, right| left.key < right.key) {
            // The sort is stable: after reversing, the first record of a key is the latest one.
            records.reverse();
            records.sort_by(|left, right| left.key.cmp(&right.key));
            records.dedup_by(|second, first| second.key == first.key);
        }
        Self::new(records)
    }

    /// Returns this bucket, sharing with `other` the memory of the records that both contain.
    pub(super) fn sharing(self: &Arc<Self>, other: &Arc<Self>) -> Arc<Self> {
        if self.hash == other.hash {
            return Arc::clone(other);
        }
        let shared = |own: &Record| {
            let found = other.position(&own.key).ok().map(|at| &other.records[at]);
            found
                .filter(|found| found.leaf() == own.leaf())
                .unwrap_or(own)
                .clone()
        };
        Arc::new(Self {
            records: self.records.iter().map(shared).collect(),
            hash: self.hash,
        })
    }

    /// Returns the index of a key, or the index at which to insert it.
    pub(super) fn position(&self, key: &RecordKey) -> Result<usize, usize> {
        self.records.binary_search_by(|record| record.key.cmp(key))
    }

    /// Returns the bucket after `changes`, applied in order. Each change is paired with its bucket number.
    pub(super) fn with(&self, changes: &[(usize, &Change)]) -> Self {
        // Sorted merge rather than repeated insertion, so that the first load of a large set is not quadratic.
        let mut latest: Vec<(&RecordKey, Option<&Record>)> = changes
            .iter()
            .map(|(_, change)| match change {
                Change::Put(record) => (&record.key, Some(record)),
                Change::Delete(key) => (key, None),
            })
            .collect();
        latest.sort_by(|left, right| left.0.cmp(right.0));
        let mut kept: Vec<Record> = self
            .records
            .iter()
            .filter(|record| {
                latest
                    .binary_search_by(|(key, _)| (*key).cmp(&record.key))
                    .is_err()
            })
            .cloned()
            .collect();
        for same_key in latest.chunk_by(|left, right| left.0 == right.0) {
            // The sort is stable, so the last entry of a key is the latest change.
            if let Some((_, Some(record))) = same_key.last() {
                kept.push((*record).clone());
            }
        }
        kept.sort_by(|left, right| left.key.cmp(&right.key));
        Self::new(kept)
    }
}
