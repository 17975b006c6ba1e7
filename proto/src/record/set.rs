//! The record set: two trees of 1,024 shared buckets with their hashes, one for authored records and one for all others.

use std::sync::{Arc, OnceLock};

use crate::hash::Digest;
use crate::parallel::{InTurn, Join, both};
use crate::record::bucket::Bucket;
use crate::record::change::Change;
use crate::record::gathered::Gathered;
use crate::record::key::{BUCKETS, RecordKey};
use crate::record::keyed::Record;
use crate::record::roots::{AUTHORED, OTHER, Roots};

/// Half of the buckets of a set being built, with the totals over its records.
#[derive(Default)]
struct Half {
    buckets: Vec<Arc<Bucket>>,
    len: usize,
    payload_bytes: usize,
}

impl Half {
    fn of(buckets: Vec<Vec<Record>>) -> Self {
        let mut half = Self::default();
        half.buckets.reserve_exact(buckets.len());
        for records in buckets {
            if records.is_empty() {
                half.buckets.push(Bucket::empty());
                continue;
            }
            let bucket = Bucket::of(records);
            half.len += bucket.records.len();
            let sizes = bucket.records.iter().map(|record| record.payload.len());
            half.payload_bytes += sizes.sum::<usize>();
            half.buckets.push(Arc::new(bucket));
        }
        half
    }
}

/// A complete, immutable set of records with its root. Clones share buckets; a change copies only the buckets it touches.
#[derive(Clone, Debug)]
pub struct RecordSet {
    buckets: Arc<[Arc<Bucket>]>,
    roots: Roots,
    len: usize,
    payload_bytes: usize,
}

impl Default for RecordSet {
    fn default() -> Self {
        static EMPTY: OnceLock<RecordSet> = OnceLock::new();
        EMPTY
            .get_or_init(|| {
                let buckets: Arc<[Arc<Bucket>]> = vec![Bucket::empty(); BUCKETS].into();
                Self {
                    roots: Roots::of(&buckets),
                    buckets,
                    len: 0,
                    payload_bytes: 0,
                }
            })
            .clone()
    }
}

impl FromIterator<Record> for RecordSet {
    /// Builds a set. The last record of a key wins.
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        let records: Gathered = records.into_iter().collect();
        Self::of([records, Gathered::default()], &InTurn)
    }
}

impl RecordSet {
    /// Builds a set on the two threads of `join`. The last record of a key wins.
    pub fn collected(mut records: Vec<Record>, join: &dyn Join) -> Self {
        let rest = records.split_off(records.len() / 2);
        let half = |records: Vec<Record>| records.into_iter().collect::<Gathered>();
        let (first, rest) = both(join, || half(records), || half(rest));
        Self::of([first, rest], join)
    }

    /// Builds a set from two pieces, `rest` after `first`. The last record of a key wins.
    pub fn of([first, rest]: [Gathered; 2], join: &dyn Join) -> Self {
        let mut low = first.followed_by(rest);
        let high = low.split_off(BUCKETS / 2);
        let (low, high) = both(join, || Half::of(low), || Half::of(high));
        let buckets: Arc<[Arc<Bucket>]> = low.buckets.into_iter().chain(high.buckets).collect();
        Self {
            roots: Roots::of(&buckets),
            len: low.len + high.len,
            payload_bytes: low.payload_bytes + high.payload_bytes,
            buckets,
        }
    }

    /// Returns the root hash. Equal roots mean equal records.
    pub const fn root(&self) -> Digest {
        self.roots.whole
    }

    /// Returns the root of the authored records. Equal roots mean equal records of [those types](crate::record::ResourceType::is_authored),
    /// regardless of discovered endpoints and certificates.
    pub const fn authored_root(&self) -> Digest {
        self.roots.authored()
    }

    /// Returns the root of the discovered and operational records.
    pub const fn other_root(&self) -> Digest {
        self.roots.other()
    }

    /// Returns the number of records.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Reports whether the set has no records.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the sum of all payloads in bytes, the quantity that `max_snapshot` limits.
    pub const fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }

    pub(super) fn buckets(&self) -> &[Arc<Bucket>] {
        &self.buckets
    }

    /// Returns the record of a key.
    pub fn get(&self, key: &RecordKey) -> Option<&Record> {
        let bucket = &self.buckets[key.bucket()];
        bucket.position(key).ok().map(|at| &bucket.records[at])
    }

    /// Returns an iterator over all records, by bucket and then by key.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.buckets.iter().flat_map(|bucket| &bucket.records)
    }

    /// Returns an iterator over the authored records.
    pub fn authored(&self) -> impl Iterator<Item = &Record> {
        self.tree(AUTHORED)
    }

    /// Returns an iterator over the discovered and operational records.
    pub fn other(&self) -> impl Iterator<Item = &Record> {
        self.tree(OTHER)
    }

    fn tree(&self, tree: usize) -> impl Iterator<Item = &Record> {
        let buckets = self.buckets.iter().skip(tree).step_by(2);
        buckets.flat_map(|bucket| &bucket.records)
    }

    /// Returns the set after `changes`, applied in order. Rebuilds only the buckets touched. Deleting an absent key is a no-op.
    pub fn with(&self, changes: &[Change]) -> Self {
        let mut by_bucket: Vec<(usize, &Change)> = changes
            .iter()
            .map(|change| (change.key().bucket(), change))
            .collect();
        // A stable sort: changes of one bucket keep their order.
        by_bucket.sort_by_key(|(bucket, _)| *bucket);
        let mut buckets = self.buckets.to_vec();
        for group in by_bucket.chunk_by(|left, right| left.0 == right.0) {
            let Some((index, _)) = group.first() else {
                continue;
            };
            buckets[*index] = Arc::new(buckets[*index].with(group));
        }
        let records = || buckets.iter().flat_map(|bucket| &bucket.records);
        let (len, payload_bytes) = if changes.is_empty() {
            (self.len, self.payload_bytes)
        } else {
            self.sums_after(&by_bucket, &buckets)
        };
        debug_assert_eq!(len, records().count());
        let changed = by_bucket.iter().map(|(bucket, _)| *bucket);
        Self {
            roots: self.roots.after(&buckets, changed),
            len,
            payload_bytes,
            buckets: buckets.into(),
        }
    }

    /// Returns this set, sharing with `other` the memory of the buckets and records that both contain.
    #[must_use]
    pub fn sharing(self, other: &Self) -> Self {
        let buckets = self.buckets.iter().zip(other.buckets());
        Self {
            buckets: buckets.map(|(own, other)| own.sharing(other)).collect(),
            ..self
        }
    }

    fn sums_after(&self, changes: &[(usize, &Change)], buckets: &[Arc<Bucket>]) -> (usize, usize) {
        let size = |bucket: &Bucket| {
            bucket
                .records
                .iter()
                .map(|record| record.payload.len())
                .sum::<usize>()
        };
        let (mut len, mut bytes) = (self.len, self.payload_bytes);
        for group in changes.chunk_by(|left, right| left.0 == right.0) {
            let Some((index, _)) = group.first() else {
                continue;
            };
            len = len + buckets[*index].records.len() - self.buckets[*index].records.len();
            bytes = bytes + size(&buckets[*index]) - size(&self.buckets[*index]);
        }
        (len, bytes)
    }
}
