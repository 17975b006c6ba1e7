//! Restores that were interrupted while they replaced files.

use std::path::{Path, PathBuf};

use super::LEDGER;

/// Folder of a backup's files while they replace the existing ones.
pub(super) const RESTORING: &str = "restoring";

/// A restore was interrupted while it replaced files.
#[derive(Debug, thiserror::Error)]
#[error(
    "{}: a restore was interrupted; run `aralez-ctl store restore` again with the same backup",
    .0.display()
)]
pub(super) struct Interrupted(PathBuf);

/// Fails if a restore was interrupted while it replaced files.
pub(super) fn refuse(folder: &Path) -> Result<(), Interrupted> {
    let restoring = folder.join(RESTORING);
    match restoring.join(LEDGER).exists() {
        true => Err(Interrupted(restoring)),
        false => Ok(()),
    }
}
