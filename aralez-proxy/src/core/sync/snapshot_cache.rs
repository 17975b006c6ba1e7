//! The state that a proxy keeps between runs, as a trait: the subscription uses it, the cache on disk implements it.

use std::time::Duration;

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::{Limits, Snapshot};

use crate::core::sync::subscription::ContentRefusal;

/// Something could not be written to the cache. The proxy continues to serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotCached(pub String);

/// The state that was loaded at start.
#[derive(Debug, Default)]
pub struct CachedState {
    /// The newest acceptable snapshot.
    pub snapshot: Option<Snapshot>,
    /// Contents that this proxy refuses to run, and why. Includes a refused content that starts anyway because there is nothing else to
    /// serve.
    pub refused: Vec<ContentRefusal>,
    /// The cluster to which this proxy belongs; empty before the first contact.
    pub cluster: Vec<u8>,
    /// The random id of this boot.
    pub boot_id: Vec<u8>,
    /// The id of the previous boot; empty for the first one.
    pub replaces_boot_id: Vec<u8>,
    /// Problems to report to the operator: each file that was set aside, and why.
    pub troubles: Vec<String>,
}

/// Stores accepted snapshots, and how previous boots of this proxy ended. It has one owner, which is the only writer.
pub trait SnapshotCache: Send {
    /// Registers the start of the process, and returns what it may serve within these limits.
    fn boot(&mut self, limits: &Limits) -> CachedState;

    /// Binds this proxy to a cluster.
    fn pin(&mut self, cluster: &[u8]);

    /// Records that this content is about to serve and is on trial.
    fn swap(&mut self, root: Digest);

    /// Records that this content has served for 60 s.
    fn proved(&mut self, root: Digest);

    /// Records that this content, which has served for 60 s, served for `longer` more.
    fn served(&mut self, _root: Digest, _longer: Duration) {}

    /// Records a regular exit of the process.
    fn clean_exit(&mut self);

    /// Writes the marks that changed so that they survive the death of this process, without waiting for the disk. They still have to be
    /// saved with [`SnapshotCache::save_marks`].
    ///
    /// # Errors
    /// [`NotCached`] if they cannot be written.
    fn note_marks(&mut self) -> Result<(), NotCached> {
        self.save_marks()
    }

    /// Writes the marks that changed, if any.
    ///
    /// # Errors
    /// [`NotCached`] if they cannot be written; the next call tries again.
    fn save_marks(&mut self) -> Result<(), NotCached>;

    /// Stores an accepted snapshot, and removes those that are too old.
    ///
    /// # Errors
    /// [`NotCached`] if it cannot be written; what was stored before is unchanged.
    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), NotCached>;

    /// Returns a stored suspect content, for its one more try.
    ///
    /// # Errors
    /// [`NotCached`] if it is not stored, or exceeds these limits.
    fn suspect(&mut self, root: Digest, _limits: &Limits) -> Result<Snapshot, NotCached> {
        Err(NotCached(format!("{} is not in the cache", root.short())))
    }

    /// Checks one more stored item that the start did not need, and returns the problems found. `None` if everything is checked.
    fn examine(&mut self) -> Option<Vec<String>> {
        None
    }
}
