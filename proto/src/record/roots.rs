//! The roots of a set: of the authored records, of the others, and of everything.

use std::sync::Arc;

use crate::hash::Digest;
use crate::record::bucket::Bucket;

/// Index of the tree of authored records.
pub(super) const AUTHORED: usize = 0;
/// Index of the tree of discovered and operational records.
pub(super) const OTHER: usize = 1;

/// The root of each tree and of the whole set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roots {
    trees: [Digest; 2],
    pub(super) whole: Digest,
}

impl Roots {
    pub(super) fn of(buckets: &[Arc<Bucket>]) -> Self {
        Self::over([AUTHORED, OTHER].map(|tree| root_of(buckets, tree)))
    }

    /// Returns the roots after some buckets were replaced. Rehashes only the trees that contain them.
    pub(super) fn after(
        self,
        buckets: &[Arc<Bucket>],
        changed: impl Iterator<Item = usize>,
    ) -> Self {
        let mut touched = [false; 2];
        changed.for_each(|bucket| touched[bucket % 2] = true);
        Self::over([AUTHORED, OTHER].map(|tree| match touched[tree] {
            true => root_of(buckets, tree),
            false => self.trees[tree],
        }))
    }

    fn over(trees: [Digest; 2]) -> Self {
        let fields = trees.each_ref().map(|root| root.as_bytes().as_slice());
        Self {
            trees,
            whole: Digest::of_fields(&fields),
        }
    }

    pub(super) const fn authored(&self) -> Digest {
        self.trees[AUTHORED]
    }

    pub(super) const fn other(&self) -> Digest {
        self.trees[OTHER]
    }
}

fn root_of(buckets: &[Arc<Bucket>], tree: usize) -> Digest {
    let buckets = buckets.iter().skip(tree).step_by(2);
    let fields: Vec<&[u8]> = buckets
        .map(|bucket| bucket.hash.as_bytes().as_slice())
        .collect();
    Digest::of_fields(&fields)
}
