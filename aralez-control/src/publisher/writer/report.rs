//! Refusals in the log: every reason on a line of its own. Faults name places and reasons, never the text of a document.

use std::fmt::Display;

use tracing::warn;

use crate::core::commit::Rejected;

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

/// How many faults of one refusal the log gets; the answer to a push and `/v1/status` have them all.
const LOGGED: usize = 20;

pub(super) fn each(faults: &[impl Display]) {
    for fault in faults.iter().take(LOGGED) {
        warn!("{fault}");
    }
    if let Some(more) = faults.len().checked_sub(LOGGED).filter(|more| *more > 0) {
        warn!("and {more} more faults");
    }
}
