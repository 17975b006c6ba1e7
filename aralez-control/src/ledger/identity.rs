//! The cluster's identity: 16 random bytes in a file in the ledger's folder, mode 0400.
//!
//! Proxies are pinned to it, so it must outlive the ledger: a new ledger next to an existing identity belongs to the same cluster.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aralez_runtime::{private, random};
use tracing::warn;

use crate::core::store::{ClusterId, cluster_text};

/// Name of the file.
pub(super) const FILE: &str = "cluster.key";

/// Reason why the identity cannot be used, with the remedy.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdentityError {
    #[error("{}: {cause}", path.display())]
    Unusable {
        path: PathBuf,
        cause: std::io::Error,
    },
    #[error(
        "{}: expected 16 bytes, found {found}; put back the file of this cluster; if the ledger in the same folder is intact, \
         remove the file, and control recreates it from the ledger",
        path.display()
    )]
    Length { path: PathBuf, found: usize },
    #[error(
        "{} contains cluster {file}, but the ledger in the same folder belongs to cluster {ledger}; \
         put back the matching file or ledger, or restore a backup; to continue with this ledger, remove {}",
        path.display(), path.display()
    )]
    Differs {
        path: PathBuf,
        file: String,
        ledger: String,
    },
}

/// Reads the identity in `folder`; `None` if there is no file.
pub(super) fn load(folder: &Path) -> Result<Option<ClusterId>, IdentityError> {
    let path = folder.join(FILE);
    // Accepted whatever its mode: the ledger does not open unless it contains the same identity.
    match private::read_sealed(&path, 1024) {
        Ok((bytes, wide)) => {
            if let Some(wide) = wide {
                warn!("{}: {wide}", path.display());
            }
            let found = bytes.len();
            let id = bytes.try_into();
            id.map(Some)
                .map_err(|_| IdentityError::Length { path, found })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(IdentityError::Unusable { path, cause }),
    }
}

/// Creates the file.
pub(super) fn write(folder: &Path, id: &ClusterId) -> Result<(), IdentityError> {
    let path = folder.join(FILE);
    private::write_secret(&path, id).map_err(|cause| IdentityError::Unusable { path, cause })
}

/// Creates a new identity in `folder`.
pub(super) fn create(folder: &Path) -> Result<ClusterId, IdentityError> {
    let id = random::bytes();
    write(folder, &id)?;
    Ok(id)
}

/// Returns the error for a file and a ledger that disagree.
pub(super) fn differs(folder: &Path, file: &ClusterId, ledger: &ClusterId) -> IdentityError {
    IdentityError::Differs {
        path: folder.join(FILE),
        file: cluster_text(file),
        ledger: cluster_text(ledger),
    }
}
