//! The last snapshots of one view, so that a node that comes back is given what it missed.
//!
//! The newest few are kept whole. Of those before, the log keeps what each commit changed, so that any of them can be made again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aralez_proto::content::Content;
use aralez_proto::hash::Digest;
use aralez_proto::snapshot::{Limits, SharedSnapshot};

use super::Refusal;
use super::log::ChangeLog;

/// How many snapshots before the newest are kept whole. They share what did not change, so this costs the changes.
const EARLIER: usize = 8;

/// How many snapshots that were made again are kept: a fleet that comes back does so from few versions.
const REMADE: usize = 8;

/// How many verdicts on the newest snapshot are kept.
const VERDICTS: usize = 1_024;

/// What refusals of a kind come to under the limits of a node.
type Verdicts = HashMap<(Digest, Limits), bool>;

/// The newest snapshot of a view and the ones before it.
#[derive(Clone, Debug)]
pub struct Recent {
    newest: SharedSnapshot,
    /// Oldest first, each root once.
    earlier: Vec<SharedSnapshot>,
    log: ChangeLog,
    /// What was made again from the log; a memory only, so that it is done once for many nodes.
    remade: Arc<Mutex<VecDeque<SharedSnapshot>>>,
    /// Which refusals block the newest; a memory only as well: a fleet refuses one thing.
    verdicts: Arc<Mutex<Verdicts>>,
}

impl Recent {
    /// A view that begins with this snapshot.
    pub fn new(newest: SharedSnapshot) -> Self {
        Self {
            newest,
            earlier: Vec::new(),
            log: ChangeLog::default(),
            remade: Arc::default(),
            verdicts: Arc::default(),
        }
    }

    /// The view after `next`; `None` where it is the same content under the same revision.
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

    /// The newest snapshot.
    pub const fn newest(&self) -> &SharedSnapshot {
        &self.newest
    }

    /// Whether the newest snapshot would be refused for the same reason.
    pub(super) fn is_blocked_by(&self, refusal: &Refusal, limits: &Limits) -> bool {
        let key = (refusal.mark(), *limits);
        let known = self.verdicts().get(&key).copied();
        known.unwrap_or_else(|| {
            // Not under the lock: two streams may find out the same, but nobody waits.
            let blocks = refusal.blocks(&self.newest, limits);
            let mut verdicts = self.verdicts();
            if verdicts.len() >= VERDICTS {
                verdicts.clear();
            }
            verdicts.insert(key, blocks);
            blocks
        })
    }

    fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The snapshot of a root, where it is still here or can be made again.
    pub fn find(&self, root: Digest) -> Option<SharedSnapshot> {
        let of_root = |snapshot: &&SharedSnapshot| snapshot.version().root == root;
        let mut whole = [&self.newest].into_iter().chain(&self.earlier);
        whole.find(of_root).cloned().or_else(|| self.remake(root))
    }

    /// The newest snapshot of a content, where it is still here or can be made again.
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
        let mut remade = self.remade.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = remade.iter().find(|found| found.version().root == root) {
            return Some(Arc::clone(found));
        }
        // It was a snapshot once, so there is nothing in it to refuse.
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
