//! What each commit of a view changed, backwards: from the newest snapshot to any that the log reaches.

use std::collections::BTreeMap;
use std::sync::Arc;

use aralez_proto::hash::Digest;
use aralez_proto::record::{Change, RecordKey};
use aralez_proto::snapshot::Snapshot;
use aralez_proto::version::Version;

/// How many steps are kept,
const MOST_STEPS: usize = 4_096;
/// and how many bytes of records that are gone, about.
const MOST_BYTES: usize = 16 << 20;
/// Steps in one page: what the next log copies, beside one pointer for each page.
const PAGE: usize = 64;

/// What leads back from one snapshot to the one before.
#[derive(Debug)]
struct Step {
    /// The one before.
    before: Version,
    undo: Vec<Change>,
    bytes: usize,
}

/// The log. Copies share pages; the next one costs a page.
#[derive(Clone, Debug, Default)]
pub(super) struct ChangeLog {
    /// Oldest first; only the last one is not full.
    pages: Vec<Arc<Page>>,
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Page {
    /// Apart from the steps: they are searched.
    roots: Vec<Digest>,
    steps: Vec<Arc<Step>>,
    bytes: usize,
}

impl ChangeLog {
    /// The log after one more commit.
    pub(super) fn followed_by(&self, before: &Snapshot, after: &Snapshot) -> Self {
        let undo = after.records().delta_to(before.records());
        let step = Step {
            before: before.version(),
            bytes: undo.iter().map(size_of).sum(),
            undo,
        };
        let mut next = self.clone();
        next.bytes += step.bytes;
        match next.pages.last_mut().filter(|page| page.steps.len() < PAGE) {
            Some(last) => Arc::make_mut(last).push(step),
            None => {
                let mut page = Page::default();
                page.push(step);
                next.pages.push(Arc::new(page));
            }
        }
        next.forget();
        next
    }

    /// Lets go of the oldest pages; the last one always stays.
    fn forget(&mut self) {
        while self.pages.len() > 1
            && (self.pages.len() > MOST_STEPS / PAGE || self.bytes > MOST_BYTES)
        {
            self.bytes -= self.pages.remove(0).bytes;
        }
    }

    /// The root of the newest snapshot with this authored root. Looks at all.
    pub(super) fn newest_of(&self, authored_root: Digest) -> Option<Digest> {
        let mut steps = self.pages.iter().rev().flat_map(|page| page.newest_first());
        let found = steps.find(|(_, step)| step.before.authored_root == authored_root);
        found.map(|(root, _)| root)
    }

    /// The version of a root, and what leads to it from the newest snapshot, made only where it is asked for.
    pub(super) fn undo_to(&self, root: Digest) -> Option<(Version, impl FnOnce() -> Vec<Change>)> {
        let steps = || self.pages.iter().rev().flat_map(|page| page.newest_first());
        let found = steps().position(|(known, _)| known == root)?;
        let version = steps().nth(found)?.1.before;
        let undo = move || {
            let mut changes: BTreeMap<&RecordKey, &Change> = BTreeMap::new();
            // The further back a change lies, the nearer it is to what is wanted.
            for change in steps().take(found + 1).flat_map(|(_, step)| &step.undo) {
                changes.insert(change.key(), change);
            }
            changes.into_values().cloned().collect()
        };
        Some((version, undo))
    }
}

impl Page {
    fn push(&mut self, step: Step) {
        self.bytes += step.bytes;
        self.roots.push(step.before.root);
        self.steps.push(Arc::new(step));
    }

    fn newest_first(&self) -> impl Iterator<Item = (Digest, &Arc<Step>)> {
        self.roots.iter().copied().zip(&self.steps).rev()
    }
}

/// What a change keeps in memory, about.
fn size_of(change: &Change) -> usize {
    let payload = match change {
        Change::Put(record) => record.payload.len(),
        Change::Delete(_) => 0,
    };
    size_of_val(change) + change.key().name.len() + payload
}

#[cfg(test)]
mod tests;
