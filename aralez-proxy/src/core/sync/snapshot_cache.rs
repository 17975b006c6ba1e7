//! What a proxy remembers between its runs, as a trait: the stream needs it, the cache on disk is it.

use std::time::Duration;

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::{Limits, Snapshot};

use crate::core::sync::subscription::ContentRefusal;

/// Something could not be kept. Serving goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotCached(pub String);

/// What was remembered at a start.
#[derive(Debug, Default)]
pub struct CachedState {
    /// The newest acceptable snapshot.
    pub snapshot: Option<Snapshot>,
    /// Contents that this proxy will not run, and why. What it starts all the same, since nothing else is there to serve, is among them.
    pub refused: Vec<ContentRefusal>,
    /// The cluster that this proxy belongs to; empty before the first contact.
    pub cluster: Vec<u8>,
    /// Drawn for this start.
    pub boot_id: Vec<u8>,
    /// That of the start before; empty for the first.
    pub replaces_boot_id: Vec<u8>,
    /// What was found wrong, for a person: each file that was set aside, and why.
    pub troubles: Vec<String>,
}

/// Keeps accepted snapshots, and how the boots of this proxy ended. One owner, one writer.
pub trait SnapshotCache: Send {
    /// The process starts: gives what may serve within these limits.
    fn boot(&mut self, limits: &Limits) -> CachedState;

    /// This proxy belongs to this cluster from now on.
    fn pin(&mut self, cluster: &[u8]);

    /// This content is about to serve; it is on trial.
    fn swap(&mut self, root: Digest);

    /// This content served 60 s.
    fn proved(&mut self, root: Digest);

    /// This content, which has served 60 s, served so much longer.
    fn served(&mut self, _root: Digest, _longer: Duration) {}

    /// The process ends as it should.
    fn clean_exit(&mut self);

    /// Writes what those above changed so that the death of this process does not lose it, without waiting for the disk. It is no less to
    /// be saved after that.
    ///
    /// # Errors
    /// Where it cannot be written.
    fn note_marks(&mut self) -> Result<(), NotCached> {
        self.save_marks()
    }

    /// Writes what those above changed, if anything.
    ///
    /// # Errors
    /// Where it cannot be written; it is tried again with the next call.
    fn save_marks(&mut self) -> Result<(), NotCached>;

    /// Keeps an accepted snapshot, and lets go of those too old to matter.
    ///
    /// # Errors
    /// Where it cannot be written; what was kept before is as it was.
    fn keep(&mut self, snapshot: &Snapshot) -> Result<(), NotCached>;

    /// A suspect content that is kept, for its one more try.
    ///
    /// # Errors
    /// Where it is not kept, or does not serve within these limits.
    fn suspect(&mut self, root: Digest, _limits: &Limits) -> Result<Snapshot, NotCached> {
        Err(NotCached(format!("{} is not kept", root.short())))
    }

    /// Checks one more of what is kept and was not needed by the start: what was found wrong. `None`: all is checked.
    fn examine(&mut self) -> Option<Vec<String>> {
        None
    }
}
