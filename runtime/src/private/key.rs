//! The file of a sealing key: 32 random bytes, mode 0400, created on first use.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use aralez_proto::seal::SealKey;

use super::{WideMode, open_own, read_at_most, write_secret};

const LEN: u64 = SealKey::LEN as u64;

/// Reason why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can be neither read nor created.
    #[error("key file {}: {cause}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// Every user may read or replace the key and that cannot be changed, so it protects nothing.
    #[error("key file {}: accessible by every user: {mode}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode, and why it cannot be changed.
        mode: WideMode,
    },
    /// Not the length of a key: another file, or damage. It is not replaced, since everything sealed with it would be lost.
    #[error("key file {}: expected {LEN} bytes, found {found}", path.display())]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
    },
}

/// A loaded or created key.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub key: SealKey,
    /// Report on the mode of its file, for operators: access of others that was removed, or could not be. `None` if the mode was right.
    pub trouble: Option<String>,
}

/// Loads the key in `path`, or creates a missing file with fresh random bytes. Only one process per path at a time.
///
/// Access of others is removed (mode 0400) and reported. A key that the group could read stays in use: the group is the operator's choice
/// (`fsGroup`, a restore), and refusing to start would not undo the access. A key that every user could read is reported as leaked. The key
/// is refused only if every user has access and that cannot be changed.
///
/// # Errors
/// [`KeyError`] with the path.
pub fn load_or_create_key(path: &Path) -> Result<Key, KeyError> {
    let unusable = |cause| KeyError::Unusable {
        path: path.to_owned(),
        cause,
    };
    let file = match open_own(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let bytes = crate::random::bytes();
            write_secret(path, &bytes).map_err(unusable)?;
            return Ok(Key {
                key: SealKey::from_bytes(bytes),
                trouble: None,
            });
        }
        other => other.map_err(unusable)?,
    };
    let trouble = match WideMode::repair(&file, 0o400).map_err(unusable)? {
        Some(mode) if mode.still_gives_others(0o007) => {
            return Err(KeyError::Exposed {
                path: path.to_owned(),
                mode,
            });
        }
        wide => wide.map(|mode| told(path, &mode)),
    };
    let meta = file.metadata().map_err(unusable)?;
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
    Ok(Key {
        key: SealKey::from_bytes(bytes),
        trouble,
    })
}

fn told(path: &Path, mode: &WideMode) -> String {
    let leaked = if mode.gave_others(0o007) {
        "every user of this machine could read this key; replace it unless all of them are trusted"
    } else {
        "the group had access to this key"
    };
    format!("key file {}: {leaked}: {mode}", path.display())
}
