//! Restores that ended in the middle of replacing files.

use std::path::{Path, PathBuf};

use super::LEDGER;

/// Where a backup lies while it takes the place of what was there.
pub(super) const RESTORING: &str = "restoring";

/// A restore stopped in the middle.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: a restore was interrupted; run `aralez-ctl store restore` again with the same backup",
    .0.display()
)]
pub(super) struct Interrupted(PathBuf);

/// Whether a restore stopped in the middle of replacing files.
pub(super) fn refuse(folder: &Path) -> Result<(), Interrupted> {
    let restoring = folder.join(RESTORING);
    match restoring.join(LEDGER).exists() {
        true => Err(Interrupted(restoring)),
        false => Ok(()),
    }
}
