//! The difference between two sets.

use std::sync::Arc;

use crate::record::bucket::Bucket;
use crate::record::change::{Change, Delta};
use crate::record::set::RecordSet;

impl RecordSet {
    /// Returns the changes that turn `self` into `target`, in ascending order of bucket and key. The cost is proportional to the buckets
    /// that differ.
    pub fn delta_to(&self, target: &Self) -> Delta {
        let mut delta = Delta::new();
        for (from, to) in self.buckets().iter().zip(target.buckets()) {
            if !Arc::ptr_eq(from, to) && from.hash != to.hash {
                bucket_delta(from, to, &mut delta);
            }
        }
        delta
    }
}

/// Appends the changes between two buckets. Both are sorted by key, so one pass over both suffices.
fn bucket_delta(from: &Bucket, to: &Bucket, delta: &mut Delta) {
    let mut old = from.records.iter().peekable();
    for record in &to.records {
        while let Some(gone) = old.next_if(|old| old.key < record.key) {
            delta.push(Change::Delete(gone.key.clone()));
        }
        let same = old
            .next_if(|old| old.key == record.key)
            .is_some_and(|old| old.leaf() == record.leaf());
        if !same {
            delta.push(Change::Put(record.clone()));
        }
    }
    delta.extend(old.map(|gone| Change::Delete(gone.key.clone())));
}
