//! Records how this process ends, and reads how the previous one ended.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use anyhow::Context;
use aralez_runtime::supervised::{LAST_EXIT, ProcessExit};
use tracing::warn;

use crate::cache::{self, Ending, ExitNotes};

/// Messages of the panics on which the standard library aborts: a destructor panicked during unwinding, or a panic reached a function that
/// cannot unwind.
const ABORTS: [&str; 2] = [
    "panic in a destructor during cleanup",
    "panic in a function that cannot unwind",
];

/// Runs `serve` and records how it ended: an error is attributed to the environment, a panic to this process.
pub(super) fn noted(
    exits: &ExitNotes,
    serve: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match catch_unwind(AssertUnwindSafe(serve)) {
        Ok(ended) => ended.inspect_err(|_| note(exits, Ending::Surroundings)),
        Err(panic) => {
            note(exits, Ending::Panic);
            resume_unwind(panic)
        }
    }
}

/// Records how this process ends. If that fails, the next start counts the exit as unobserved.
pub(super) fn note(exits: &ExitNotes, ending: Ending) {
    if let Err(error) = exits.note(ending) {
        warn!(%error, %ending, "cannot record how this process ends");
    }
}

/// Reports whether a panic with this payload aborts the process without unwinding.
pub(super) fn aborts(payload: &(dyn Any + Send)) -> bool {
    let text = payload.downcast_ref::<&str>();
    text.is_some_and(|text| ABORTS.contains(text))
}

/// Returns the exit of the previous process as reported by the supervisor. `None` if there is no valid report.
pub(super) fn told() -> Option<ProcessExit> {
    let text = std::env::var(LAST_EXIT).ok()?;
    let told = text.parse::<ProcessExit>();
    told.inspect_err(|error| warn!("{LAST_EXIT}: {error}")).ok()
}

/// Implements `--record-exit`: records the exit of the process that just ended, as reported by systemd.
pub(super) fn record(state_dir: &Path) -> anyhow::Result<()> {
    let said = |name: &str| std::env::var(name).unwrap_or_default();
    let (result, code, status) = (
        said("SERVICE_RESULT"),
        said("EXIT_CODE"),
        said("EXIT_STATUS"),
    );
    anyhow::ensure!(
        !code.is_empty(),
        "--record-exit must be run by ExecStopPost= of a systemd unit: $EXIT_CODE is not set"
    );
    let exit = ProcessExit::of_systemd(&result, &code, &status)
        .context("$EXIT_CODE and $EXIT_STATUS do not describe a process exit")?;
    cache::record_exit(state_dir, exit)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Cache;
    use crate::core::sync::snapshot_cache::SnapshotCache;
    use aralez_proto::hash::Digest;
    use aralez_proto::snapshot::Limits;
    use std::sync::Arc;

    /// Boots, swaps in a content that is still on trial, and lets `serve` end the process. Returns the number of refused contents.
    fn ends(folder: &Path, serve: impl FnOnce() -> anyhow::Result<()>) -> usize {
        let exits = Arc::new(ExitNotes::new(folder.to_owned()));
        let cache = || Cache::with_exits(folder.to_owned(), String::new(), exits.clone(), None);
        let mut cache = cache();
        let refused = cache.boot(&Limits::default()).refused.len();
        cache.swap(Digest::from([1; 32]));
        cache.note_marks().unwrap();
        let _ = catch_unwind(AssertUnwindSafe(|| noted(&exits, serve)));
        refused
    }

    #[test]
    fn a_panic_that_ends_the_process_twice_is_evidence_against_what_it_ran() {
        let folder = tempfile::tempdir().unwrap();
        let panics = || -> anyhow::Result<()> { std::panic::panic_any("out of order") };
        assert_eq!(ends(folder.path(), panics), 0);
        assert_eq!(ends(folder.path(), panics), 0);
        assert_eq!(ends(folder.path(), || Ok(())), 1);
    }

    #[test]
    fn an_error_of_the_surroundings_is_no_evidence_however_often_it_ends_the_process() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..20 {
            let fails = || anyhow::bail!("address in use");
            assert_eq!(ends(folder.path(), fails), 0);
        }
    }

    #[test]
    fn only_a_panic_that_cannot_unwind_ends_the_process_where_it_happens() {
        for text in ABORTS {
            assert!(aborts(&text));
        }
        assert!(!aborts(&"index out of bounds"));
        assert!(!aborts(&ABORTS[0].to_owned()));
    }
}
