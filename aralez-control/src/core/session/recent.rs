//! The recent snapshots of one view, so that a returning node receives only what it missed.
//!
//! The newest few are kept whole. For earlier ones, the log keeps what each commit changed, so that any of them can be rebuilt.

use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use aralez_proto::content::Content;
use aralez_proto::hash::Digest;
use aralez_proto::snapshot::{Limits, SharedSnapshot};

use super::Refusal;
use super::log::ChangeLog;

/// Number of snapshots kept whole before the newest. They share what did not change, so they cost only the changes.
const EARLIER: usize = 8;

/// Number of rebuilt snapshots that are kept: a returning fleet holds few different versions.
const REMADE: usize = 8;

/// Maximum number of cached verdicts on the newest snapshot.
const VERDICTS: usize = 1_024;

/// Verdicts: `true` if a refusal, by its mark, blocks the newest snapshot under the limits of a node.
type Verdicts = HashMap<(Digest, Limits), bool>;

/// The newest snapshot of a view and the ones before it.
#[derive(Clone, Debug)]
pub struct Recent {
    newest: SharedSnapshot,
    /// Oldest first, each root once.
    earlier: Vec<SharedSnapshot>,
    log: ChangeLog,
    /// Cache of snapshots rebuilt from the log, so that many nodes cost one rebuild.
    remade: Arc<Mutex<VecDeque<SharedSnapshot>>>,
    /// Cache of verdicts on the newest snapshot: a fleet usually refuses one content.
    verdicts: Arc<Mutex<Verdicts>>,
}

impl Recent {
    /// Creates the history of a view that begins with this snapshot.
    pub fn new(newest: SharedSnapshot) -> Self {
        Self {
            newest,
            earlier: Vec::new(),
            log: ChangeLog::default(),
            remade: Arc::default(),
            verdicts: Arc::default(),
        }
    }

    /// Returns the history after `next`; `None` if `next` has the same content under the same revision.
    #[must_use]
    pub fn followed_by(&self, next: &SharedSnapshot) -> Option<Self> {
        let (before, after) = (self.newest.version(), next.version());
        if before.root == after.root && before.order(&after).is_eq() {
            return None;
        }
        let mut earlier: Vec<SharedSnapshot> = self
            .earlier
            .iter()
            .chain([&self.newest])
            .filter(|snapshot| snapshot.version().root != after.root)
            .cloned()
            .collect();
        let excess = earlier.len().saturating_sub(EARLIER);
        earlier.drain(..excess);
        Some(Self {
            newest: Arc::clone(next),
            earlier,
            log: self.log.followed_by(&self.newest, next),
            remade: Arc::clone(&self.remade),
            verdicts: Arc::default(),
        })
    }

    /// Returns the newest snapshot.
    pub const fn newest(&self) -> &SharedSnapshot {
        &self.newest
    }

    /// Reports whether the newest snapshot would be refused for the same reason.
    pub(super) fn is_blocked_by(&self, refusal: &Refusal, limits: &Limits) -> bool {
        let key = (refusal.mark(), *limits);
        let known = self.verdicts.lock().get(&key).copied();
        known.unwrap_or_else(|| {
            // Evaluate without the lock: two streams may compute the same verdict, but none waits.
            let blocks = refusal.blocks(&self.newest, limits);
            let mut verdicts = self.verdicts.lock();
            if verdicts.len() >= VERDICTS {
                verdicts.clear();
            }
            verdicts.insert(key, blocks);
            blocks
        })
    }

    /// Returns the snapshot with this root, if it is kept or can be rebuilt.
    pub fn find(&self, root: Digest) -> Option<SharedSnapshot> {
        let of_root = |snapshot: &&SharedSnapshot| snapshot.version().root == root;
        let mut whole = [&self.newest].into_iter().chain(&self.earlier);
        whole.find(of_root).cloned().or_else(|| self.remake(root))
    }

    /// Returns the newest snapshot with this content, if it is kept or can be rebuilt.
    pub(super) fn of_content(&self, content: Content) -> Option<SharedSnapshot> {
        let whole = self.earlier.iter().chain([&self.newest]).rev();
        let mut of_content = whole.filter(|snapshot| content.is_of(&snapshot.version()));
        of_content.next().cloned().or_else(|| match content {
            Content::Whole(root) => self.remake(root),
            Content::Authored(root) => self.remake(self.log.newest_of(root)?),
        })
    }

    fn remake(&self, root: Digest) -> Option<SharedSnapshot> {
        let (version, undo) = self.log.undo_to(root)?;
        let mut remade = self.remade.lock();
        if let Some(found) = remade.iter().find(|found| found.version().root == root) {
            return Some(Arc::clone(found));
        }
        // It was a valid snapshot before, so no limits apply.
        let (snapshot, _) = self
            .newest
            .next(version, &undo(), &Limits::default())
            .ok()?;
        let snapshot = Arc::new(snapshot);
        remade.push_back(Arc::clone(&snapshot));
        if remade.len() > REMADE {
            remade.pop_front();
        }
        Some(snapshot)
    }
}
