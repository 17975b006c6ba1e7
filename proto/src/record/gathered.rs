//! Records on their way into a set.

use crate::record::key::BUCKETS;
use crate::record::keyed::Record;

/// Records by bucket, and in each bucket in the order in which they came. Takes the least memory and time for records that come bucket by
/// bucket, as [`RecordSet::iter`](crate::record::RecordSet::iter) gives them; any other order is right too.
#[derive(Debug)]
pub struct Gathered(Vec<Vec<Record>>);

impl Default for Gathered {
    fn default() -> Self {
        Self(vec![Vec::new(); BUCKETS])
    }
}

impl FromIterator<Record> for Gathered {
    fn from_iter<I: IntoIterator<Item = Record>>(records: I) -> Self {
        let mut gathered = Self::default();
        // Records of one bucket are held here until all are known, so that the bucket is made in its right size.
        let (mut run, mut at) = (Vec::new(), 0);
        for record in records {
            let bucket = record.key.bucket();
            if bucket != at {
                append(&mut gathered.0[at], &mut run);
                at = bucket;
            }
            run.push(record);
        }
        append(&mut gathered.0[at], &mut run);
        gathered
    }
}

impl Gathered {
    /// The records of each bucket, those of `later` behind the own ones.
    pub(super) fn followed_by(self, later: Self) -> Vec<Vec<Record>> {
        let mut buckets = self.0;
        for (records, mut more) in buckets.iter_mut().zip(later.0) {
            if records.is_empty() {
                *records = more;
            } else {
                append(records, &mut more);
            }
        }
        buckets
    }
}

/// Moves all of `more` behind `records`.
fn append(records: &mut Vec<Record>, more: &mut Vec<Record>) {
    // A bucket that gets records once gets no room for others. One that gets some again may get them often, and grows in steps.
    if records.is_empty() {
        records.reserve_exact(more.len());
    }
    records.append(more);
}
