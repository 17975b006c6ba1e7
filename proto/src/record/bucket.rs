//! One of the buckets of a set: records with the hash over them.

use std::sync::{Arc, OnceLock};

use crate::hash::Digest;
use crate::record::change::Change;
use crate::record::key::RecordKey;
use crate::record::keyed::Record;

/// Some of the records, ascending by key, with the hash over their sorted leaves.
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

    /// The bucket without records: of a set that was just made most are this one.
    pub(super) fn empty() -> Arc<Self> {
        static EMPTY: OnceLock<Arc<Bucket>> = OnceLock::new();
        Arc::clone(EMPTY.get_or_init(|| Arc::new(Self::new(Vec::new()))))
    }

    /// The bucket of records in the order in which they came: the last one of a key stays.
    pub(super) fn of(mut records: Vec<Record>) -> Self {
        if !records.is_sorted_by(|left, right| left.key < right.key) {
            // The sort is stable: with the latest in front, the first of a key is the one that came last.
            records.reverse();
            records.sort_by(|left, right| left.key.cmp(&right.key));
            records.dedup_by(|second, first| second.key == first.key);
        }
        Self::new(records)
    }

    /// The same bucket, holding in common with another one what both have.
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

    /// Where a key is, or where it would be.
    pub(super) fn position(&self, key: &RecordKey) -> Result<usize, usize> {
        self.records.binary_search_by(|record| record.key.cmp(key))
    }

    /// The bucket after these changes of it, each with its number, in their order.
    pub(super) fn with(&self, changes: &[(usize, &Change)]) -> Self {
        // Sorted merge rather than repeated insertion, so that a first load of a large set stays linear.
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
            // The sort is stable, so the last of a key is the change that came last.
            if let Some((_, Some(record))) = same_key.last() {
                kept.push((*record).clone());
            }
        }
        kept.sort_by(|left, right| left.key.cmp(&right.key));
        Self::new(kept)
    }
}
