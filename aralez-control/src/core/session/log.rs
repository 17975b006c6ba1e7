//! The undo log of a view: it leads from the newest snapshot back to any earlier one that it reaches.

use std::collections::BTreeMap;
use std::sync::Arc;

use aralez_proto::hash::Digest;
use aralez_proto::record::{Change, RecordKey};
use aralez_proto::snapshot::Snapshot;
use aralez_proto::version::Version;

/// Maximum number of steps.
const MOST_STEPS: usize = 4_096;
/// Approximate maximum size of the replaced records of all steps, in bytes.
const MOST_BYTES: usize = 16 << 20;
/// Steps per page. The next log copies one page, and a pointer for each other page.
const PAGE: usize = 64;

/// The changes that lead from one snapshot back to the previous one.
#[derive(Debug)]
struct Step {
    /// The previous version.
    before: Version,
    undo: Vec<Change>,
    bytes: usize,
}

/// The log. Clones share pages; each append copies at most one page.
#[derive(Clone, Debug, Default)]
pub(super) struct ChangeLog {
    /// Oldest first; only the last page may be partly filled.
    pages: Vec<Arc<Page>>,
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
struct Page {
    /// Roots of the steps, kept apart so that a search by root reads contiguous memory.
    roots: Vec<Digest>,
    steps: Vec<Arc<Step>>,
    bytes: usize,
}

impl ChangeLog {
    /// Returns the log after one more commit.
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

    /// Drops the oldest pages beyond the limits; the last page always stays.
    fn forget(&mut self) {
        while self.pages.len() > 1
            && (self.pages.len() > MOST_STEPS / PAGE || self.bytes > MOST_BYTES)
        {
            self.bytes -= self.pages.remove(0).bytes;
        }
    }

    /// Returns the root of the newest logged snapshot with this authored root. Linear in the length of the log.
    pub(super) fn newest_of(&self, authored_root: Digest) -> Option<Digest> {
        let mut steps = self.pages.iter().rev().flat_map(|page| page.newest_first());
        let found = steps.find(|(_, step)| step.before.authored_root == authored_root);
        found.map(|(root, _)| root)
    }

    /// Returns the version of a root, and a closure that computes the changes from the newest snapshot back to it; `None` if the log does
    /// not reach it.
    pub(super) fn undo_to(&self, root: Digest) -> Option<(Version, impl FnOnce() -> Vec<Change>)> {
        let steps = || self.pages.iter().rev().flat_map(|page| page.newest_first());
        let found = steps().position(|(known, _)| known == root)?;
        let version = steps().nth(found)?.1.before;
        let undo = move || {
            let mut changes: BTreeMap<&RecordKey, &Change> = BTreeMap::new();
            // Older changes replace newer ones: they are closer to the target.
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

/// Returns the approximate memory use of a change.
fn size_of(change: &Change) -> usize {
    let payload = match change {
        Change::Put(record) => record.payload.len(),
        Change::Delete(_) => 0,
    };
    size_of_val(change) + change.key().name.len() + payload
}

#[cfg(test)]
mod tests;
