//! Refusals in the log: every reason on a line of its own. Faults name places and reasons, never the text of a document.

use std::fmt::Display;

use tracing::warn;

use crate::core::commit::Rejected;

pub(super) fn report(rejected: &Rejected) {
    match rejected {
        Rejected::Documents(faults) => each(&faults.0),
        Rejected::Snapshot(faults) => each(faults.as_slice()),
        Rejected::Conflict { .. } | Rejected::Store(_) => warn!("{rejected}"),
    }
}

pub(super) fn each(faults: &[impl Display]) {
    for fault in faults {
        warn!("{fault}");
    }
}
