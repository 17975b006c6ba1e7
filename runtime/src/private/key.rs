//! The file of a sealing key: 32 random bytes, mode 0400, made on first use.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use aralez_proto::seal::SealKey;

use super::{WideMode, open_own, read_at_most, write_secret};

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
    /// Every user may read or replace the key and that cannot be changed, so it protects nothing.
    #[error("key file {}: every user has access to it: {mode}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode, and why it stays.
        mode: WideMode,
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

/// A key as it was found or made.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub key: SealKey,
    /// What was wrong with its file, for a person: access of others that was taken away, or could not be.
    pub trouble: Option<String>,
}

/// The key in `path`; a missing file is made with fresh random bytes. One process per path at a time.
///
/// Access of others is taken away (mode 0400) and told. A key that the group could read goes on being used: the group is the operator's
/// choice (`fsGroup`, a restore), and a daemon that does not start helps nobody. A key that every user could read is told as leaked. Only where
/// every user has access and that cannot be changed, the key is refused.
///
/// # Errors
/// [`KeyError`], which names the path.
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
        "every user of this machine could read this key, replace it if one of them is not trusted"
    } else {
        "the group had access to this key"
    };
    format!("key file {}: {leaked}: {mode}", path.display())
}
