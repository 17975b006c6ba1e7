//! The contents that this proxy refuses to run. `Hello` lists them, so that control does not send them again.

use aralez_proto::content::Content;
use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;
use aralez_proto::version::Version;

use crate::core::sync::subscription::message::ContentRefusal;

/// Maximum number of refused contents to remember.
const MOST: usize = 8;
/// Maximum number of faults per content in `Hello`; the Nack had all of them.
const MOST_FAULTS: usize = 16;

/// The most recently refused contents, newest last.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<ContentRefusal>);

impl Refusals {
    /// Adds the content of a version that was just refused.
    pub(super) fn remember(&mut self, version: &Version, faults: &[Fault]) {
        self.take(ContentRefusal {
            content: Content::at_fault(version, faults),
            faults: faults.to_vec(),
        });
    }

    /// Adds a refusal, for example one that the cache stored.
    pub(super) fn take(&mut self, mut refusal: ContentRefusal) {
        self.0.retain(|earlier| earlier.content != refusal.content);
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        refusal.faults.truncate(MOST_FAULTS);
        self.0.push(refusal);
    }

    /// Removes the content of this version, which runs after all.
    pub(super) fn forget(&mut self, version: &Version) {
        self.0.retain(|refusal| !refusal.content.is_of(version));
    }

    pub(super) fn contains(&self, version: &Version) -> bool {
        self.0.iter().any(|refusal| refusal.content.is_of(version))
    }

    /// Returns the authored root of the newest suspect content, which may be tried once more.
    pub(super) fn newest_suspect(&self) -> Option<Digest> {
        let suspect = |fault: &Fault| fault.code == FaultCode::Suspect;
        let suspects = self.0.iter().rev();
        let mut suspects = suspects.filter(|refusal| refusal.faults.iter().any(suspect));
        suspects.find_map(|refusal| match refusal.content {
            Content::Authored(root) => Some(root),
            Content::Whole(_) => None,
        })
    }

    pub(super) fn as_slice(&self) -> &[ContentRefusal] {
        &self.0
    }
}
