//! Repair by buckets, for two holders that share most of their records but no history: they compare the hashes of their buckets, then the
//! keys in the buckets that differ, and send only the differing records.

use std::collections::BTreeMap;

use crate::record::key::BUCKETS;
use crate::record::{Change, Delta, RecordKey, RecordSet};

/// The first half of a hash: enough to find differences. The root proves the repaired set as a whole.
pub type Mark = [u8; 16];

/// A key that a holder has, with the mark of its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The key.
    pub key: RecordKey,
    /// The mark of the record's leaf.
    pub mark: Mark,
}

impl RecordSet {
    /// Number of buckets in a set, and of marks in its digest.
    pub const BUCKETS: usize = BUCKETS;

    /// Returns the marks of all buckets, in bucket order.
    pub fn marks(&self) -> impl Iterator<Item = Mark> {
        self.buckets().iter().map(|bucket| mark(&bucket.hash))
    }

    /// Returns the buckets whose marks differ. `None` if the number of marks is not that of a set.
    pub fn differing(&self, marks: &[Mark]) -> Option<Vec<usize>> {
        let other = |(at, (own, other)): (usize, (Mark, &Mark))| (own != *other).then_some(at);
        let pairs = self.marks().zip(marks).enumerate();
        (marks.len() == BUCKETS).then(|| pairs.filter_map(other).collect())
    }

    /// Returns the keys held in these buckets, with their marks. Bucket numbers out of range are skipped.
    pub fn held_in(&self, buckets: &[usize]) -> impl Iterator<Item = Held> {
        let found = buckets.iter().filter_map(|at| self.buckets().get(*at));
        found.flat_map(|bucket| &bucket.records).map(|record| Held {
            key: record.key.clone(),
            mark: mark(&record.leaf()),
        })
    }

    /// Returns the delta that turns a set into this one, given that it has `held` in these buckets and equals this set in all others.
    pub fn repair(&self, buckets: &[usize], held: Vec<Held>) -> Delta {
        let mut held: BTreeMap<RecordKey, Mark> =
            held.into_iter().map(|held| (held.key, held.mark)).collect();
        let found = buckets.iter().filter_map(|at| self.buckets().get(*at));
        let mut delta = Delta::new();
        for record in found.flat_map(|bucket| &bucket.records) {
            if held.remove(&record.key) != Some(mark(&record.leaf())) {
                delta.push(Change::Put(record.clone()));
            }
        }
        delta.extend(held.into_keys().map(Change::Delete));
        delta
    }
}

fn mark(digest: &crate::hash::Digest) -> Mark {
    let mut mark = Mark::default();
    mark.copy_from_slice(&digest.as_bytes()[..size_of::<Mark>()]);
    mark
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::{Record, ResourceType};

    fn set(records: &BTreeMap<u16, u8>) -> RecordSet {
        let record = |(name, content): (&u16, &u8)| {
            let key = RecordKey::new(ResourceType::Pool, name.to_string());
            Record::new(key, vec![*content].into())
        };
        records.iter().map(record).collect()
    }

    proptest! {
        #[test]
        fn whatever_two_sets_share_the_repair_leads_from_one_to_the_other(
            old in proptest::collection::btree_map(any::<u16>(), any::<u8>(), 0..200),
            new in proptest::collection::btree_map(any::<u16>(), any::<u8>(), 0..200),
        ) {
            let (old, new) = (set(&old), set(&new));
            let marks: Vec<Mark> = old.marks().collect();
            let buckets = new.differing(&marks).unwrap();
            let held: Vec<Held> = old.held_in(&buckets).collect();
            let delta = new.repair(&buckets, held);
            prop_assert_eq!(old.with(&delta).root(), new.root());
            prop_assert_eq!(delta.len(), old.delta_to(&new).len());
        }
    }

    #[test]
    fn equal_sets_differ_nowhere_and_other_numbers_of_marks_are_no_digest() {
        let one = set(&BTreeMap::from([(1, 1), (2, 2)]));
        let marks: Vec<Mark> = one.marks().collect();
        assert_eq!(one.differing(&marks), Some(Vec::new()));
        assert_eq!(one.differing(&marks[1..]), None);
        assert_eq!(one.held_in(&[RecordSet::BUCKETS]).count(), 0);
    }
}
