//! The cluster's identity: 16 random bytes in a file beside the ledger, mode 0400.
//!
//! Proxies are pinned to it, so it must outlive the ledger: a new ledger beside an existing identity belongs to the same cluster.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use aralez_runtime::{private, random};
use tracing::warn;

use crate::core::store::{ClusterId, cluster_text};

/// The name of the file.
pub(super) const FILE: &str = "cluster.key";

/// Why the identity cannot be used. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdentityError {
    #[error("{}: {cause}", path.display())]
    Unusable {
        path: PathBuf,
        cause: std::io::Error,
    },
    #[error(
        "{}: {found} bytes, an identity has 16: put back the file of this cluster, or remove it where the ledger beside it is whole, and it is made again from the ledger",
        path.display()
    )]
    Length { path: PathBuf, found: usize },
    #[error(
        "{} names cluster {file}, but the ledger beside it belongs to cluster {ledger}: put the two together that belong together, or restore a backup; to go on with this ledger, remove {}",
        path.display(), path.display()
    )]
    Differs {
        path: PathBuf,
        file: String,
        ledger: String,
    },
}

/// The identity in `folder`; `None` where there is no file.
pub(super) fn load(folder: &Path) -> Result<Option<ClusterId>, IdentityError> {
    let path = folder.join(FILE);
    // Believed whatever its mode: the ledger says the same, or it does not open.
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

/// Makes the file.
pub(super) fn write(folder: &Path, id: &ClusterId) -> Result<(), IdentityError> {
    let path = folder.join(FILE);
    private::write_secret(&path, id).map_err(|cause| IdentityError::Unusable { path, cause })
}

/// A new identity in `folder`.
pub(super) fn create(folder: &Path) -> Result<ClusterId, IdentityError> {
    let id = random::bytes();
    write(folder, &id)?;
    Ok(id)
}

/// The error where file and ledger disagree.
pub(super) fn differs(folder: &Path, file: &ClusterId, ledger: &ClusterId) -> IdentityError {
    IdentityError::Differs {
        path: folder.join(FILE),
        file: cluster_text(file),
        ledger: cluster_text(ledger),
    }
}
