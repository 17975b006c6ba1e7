//! All refusals of a node.

use std::sync::Arc;

use aralez_proto::content::Content;
use aralez_proto::hash::Digest;
use aralez_proto::snapshot::{Limits, Snapshot};

use super::{Recent, Refusal};

/// Maximum number of remembered refusals per node.
const MAX_REFUSALS: usize = 8;

/// The refusals of a node, newest last, each content once. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Refusals(Arc<Vec<Refusal>>);

impl Refusals {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Refusal> {
        self.0.iter()
    }

    /// Reports whether this content was refused.
    pub(super) fn has(&self, content: Content) -> bool {
        self.iter().any(|refusal| refusal.content() == content)
    }

    pub(super) fn remember(&mut self, refusal: Refusal) {
        let all = Arc::make_mut(&mut self.0);
        all.retain(|earlier| earlier.content() != refusal.content());
        all.push(refusal);
        let excess = all.len().saturating_sub(MAX_REFUSALS);
        all.drain(..excess);
    }

    pub(super) fn forget(&mut self, content: Content) {
        Arc::make_mut(&mut self.0).retain(|refusal| refusal.content() != content);
    }

    pub(super) fn clear(&mut self) {
        self.0 = Arc::default();
    }

    /// Returns the refusal that blocks the newest view, if any: the most recent one, which is closest to the current fault.
    pub(super) fn blocking_newest(&self, recent: &Recent, limits: &Limits) -> Option<&Refusal> {
        let blocks = |refusal: &&Refusal| recent.is_blocked_by(refusal, limits);
        self.iter().rev().find(blocks)
    }

    /// Reports whether any refusal blocks this view.
    pub(super) fn blocks(&self, view: &Snapshot, limits: &Limits) -> bool {
        self.iter().any(|refusal| refusal.blocks(view, limits))
    }

    /// Returns a mark that is equal for nodes with the same refusals.
    pub(super) fn mark(&self) -> Digest {
        let mut marks: Vec<Digest> = self.iter().map(Refusal::mark).collect();
        marks.sort_unstable();
        let fields: Vec<&[u8]> = marks
            .iter()
            .map(|mark| mark.as_bytes().as_slice())
            .collect();
        Digest::of_fields(&fields)
    }
}
