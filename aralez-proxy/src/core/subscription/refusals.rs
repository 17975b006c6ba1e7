//! The contents that this proxy will not run, so that control need not find out again.

use aralez_proto::fault::{Fault, FaultCode};
use aralez_proto::hash::Digest;

use super::message::Refusal;

/// How many refused contents are remembered.
const MOST: usize = 8;
/// How many faults of each are told in `Hello`; the Nack itself had all.
const MOST_FAULTS: usize = 16;

/// The newest refused contents, newest last.
#[derive(Debug, Default)]
pub(super) struct Refusals(Vec<Refusal>);

impl Refusals {
    pub(super) fn remember(&mut self, root: Digest, faults: &[Fault]) {
        self.forget(root);
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        let faults = faults.iter().take(MOST_FAULTS).cloned().collect();
        self.0.push(Refusal { root, faults });
    }

    /// It runs after all.
    pub(super) fn forget(&mut self, root: Digest) {
        self.0.retain(|refusal| refusal.root != root);
    }

    pub(super) fn contains(&self, root: Digest) -> bool {
        self.0.iter().any(|refusal| refusal.root == root)
    }

    /// The newest content that may be tried once more.
    pub(super) fn newest_suspect(&self) -> Option<Digest> {
        let suspect = |fault: &Fault| fault.code == FaultCode::Suspect;
        let suspects = self.0.iter().rev();
        let mut suspects = suspects.filter(|refusal| refusal.faults.iter().any(suspect));
        suspects.next().map(|refusal| refusal.root)
    }

    pub(super) fn as_slice(&self) -> &[Refusal] {
        &self.0
    }
}
