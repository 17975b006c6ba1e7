//! The file of a sealing key: 32 random bytes, mode 0400, made on first use.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use aralez_proto::seal::SealKey;

use super::{open_own, read_at_most, write_secret};

const LEN: u64 = SealKey::LEN as u64;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file neither reads nor can be made.
    #[error("key file {}: {cause}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Others may read the key, so it protects nothing.
    #[error("key file {}: mode {mode:04o} lets others at it, must be 0400", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Not the length of a key: another file, or damage. It is not replaced, since what was sealed with it would be lost.
    #[error("key file {}: {found} bytes, a key has {LEN}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
    },
}

/// The key in `path`; a missing file is made with fresh random bytes. One process per path at a time.
///
/// # Errors
/// [`KeyError`], which names the path.
pub fn load_or_create_key(path: &Path) -> Result<SealKey, KeyError> {
    let unusable = |cause| KeyError::Unusable {
        path: path.to_owned(),
        cause,
    };
    let file = match open_own(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let bytes = crate::random::bytes();
            write_secret(path, &bytes).map_err(unusable)?;
            return Ok(SealKey::from_bytes(bytes));
        }
        other => other.map_err(unusable)?,
    };
    let meta = file.metadata().map_err(unusable)?;
    if meta.mode() & 0o077 != 0 {
        return Err(KeyError::Exposed {
            path: path.to_owned(),
            mode: meta.mode() & 0o7777,
        });
    }
    let length = |found| KeyError::Length {
        path: path.to_owned(),
        found,
    };
    if meta.len() != LEN {
        return Err(length(meta.len()));
    }
    let bytes = read_at_most(file, LEN, LEN).map_err(unusable)?;
    let found = bytes.len() as u64;
    let bytes = bytes.try_into().map_err(|_| length(found))?;
    Ok(SealKey::from_bytes(bytes))
}
