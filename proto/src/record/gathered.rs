//! Records collected on their way into a set.

use crate::record::key::BUCKETS;
use crate::record::keyed::Record;

/// Records by bucket, in arrival order within each bucket. Cheapest in memory and time for records that arrive bucket by bucket, as
/// [`RecordSet::iter`](crate::record::RecordSet::iter) yields them; any other order is correct too.
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
        // Buffer the run of records of one bucket, so that the bucket is allocated at its exact size.
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
    /// Returns the records of each bucket, with those of `later` appended.
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

/// Moves all of `more` to the end of `records`.
fn append(records: &mut Vec<Record>, more: &mut Vec<Record>) {
    // The first fill allocates exactly. Later appends grow the bucket geometrically, since more may follow.
    if records.is_empty() {
        records.reserve_exact(more.len());
    }
    records.append(more);
}
