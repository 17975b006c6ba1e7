//! The last snapshots of one view, so that a node that comes back is given a difference.

use std::sync::Arc;

use aralez_proto::hash::Digest;
use aralez_proto::snapshot::SharedSnapshot;

/// How many snapshots before the newest are kept. They share what did not change, so this costs the changes.
const EARLIER: usize = 16;

/// The newest snapshot of a view and the ones before it.
#[derive(Clone, Debug)]
pub struct Recent {
    newest: SharedSnapshot,
    /// Oldest first, each root once.
    earlier: Vec<SharedSnapshot>,
}

impl Recent {
    /// A view that begins with this snapshot.
    pub const fn new(newest: SharedSnapshot) -> Self {
        Self {
            newest,
            earlier: Vec::new(),
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
        })
    }

    /// The newest snapshot.
    pub const fn newest(&self) -> &SharedSnapshot {
        &self.newest
    }

    /// The snapshot of a root, where it is still here.
    pub fn find(&self, root: Digest) -> Option<SharedSnapshot> {
        [&self.newest]
            .into_iter()
            .chain(&self.earlier)
            .find(|snapshot| snapshot.version().root == root)
            .cloned()
    }
}
