//! Logs refusals and other warnings: every reason of a refusal on its own line. Faults name places and reasons, never the text of a
//! document.

use std::fmt::Display;

use tracing::warn;

use crate::core::authored_roots::AuthoredRoots;
use crate::core::commit::Rejected;
use crate::core::store::RevisionInfo;
use crate::core::views::Views;

pub(in super::super) fn report(rejected: &Rejected) {
    match rejected {
        Rejected::Documents(faults) => each(&faults.0),
        Rejected::Snapshot(faults) => each(faults.as_slice()),
        Rejected::Held(_)
        | Rejected::Conflict { .. }
        | Rejected::Store(_)
        | Rejected::Unknown(_) => warn!("{rejected}"),
    }
}

/// Warns if this release lowers the documents of the head differently than the release that committed them. Nodes then receive the result
/// as new content, on trial, although no document changed.
pub(super) fn other_roots(head: &RevisionInfo, views: &Views) {
    let Some(committed) = &head.roots else {
        return;
    };
    let groups = committed.differing(&AuthoredRoots::of(views));
    if !groups.is_empty() {
        warn!(
            revision = head.revision, %groups,
            "this release builds other content from the documents of the head than the release that committed them; nodes receive it as \
             new content"
        );
    }
}

/// Maximum number of faults logged per refusal; the answer to a push and `/v1/status` contain all.
const LOGGED: usize = 20;

pub(super) fn each(faults: &[impl Display]) {
    for fault in faults.iter().take(LOGGED) {
        warn!("{fault}");
    }
    if let Some(more) = faults.len().checked_sub(LOGGED).filter(|more| *more > 0) {
        warn!("and {more} more faults");
    }
}
