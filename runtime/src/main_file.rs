//! `main.yaml` from disk. What it says is read by `aralez_proto::main_config`.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aralez_proto::document::DocumentFaults;
use aralez_proto::main_config::{self, MainConfig};

/// The largest `main.yaml` that is read, in bytes: 1 MiB.
pub const MAX_BYTES: u64 = 1 << 20;

/// Why there is no main configuration.
#[derive(Debug, thiserror::Error)]
pub enum MainFileError {
    /// The file does not read.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The file is beyond [`MAX_BYTES`].
    #[error("{}: more than {MAX_BYTES} bytes, which no main.yaml needs", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file reads, and says something wrong: the faults, one a line.
    #[error("{0}")]
    Faults(DocumentFaults),
}

/// Reads a `main.yaml`; without a path, the defaults. Links are followed: Kubernetes mounts files as such.
///
/// # Errors
/// [`MainFileError`].
pub fn load(path: Option<&Path>) -> Result<MainConfig, MainFileError> {
    let Some(path) = path else {
        return Ok(MainConfig::default());
    };
    let text = read(path).map_err(|cause| MainFileError::Unreadable {
        path: path.to_owned(),
        cause,
    })?;
    if text.len() as u64 > MAX_BYTES {
        return Err(MainFileError::TooLarge {
            path: path.to_owned(),
        });
    }
    main_config::read(&path.display().to_string(), &text).map_err(MainFileError::Faults)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a file"));
    }
    let mut text = Vec::new();
    File::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_file_the_defaults_hold() {
        assert!(load(None).unwrap().state_dir.is_none());
    }

    #[test]
    fn a_file_that_does_not_read_is_named_in_one_line() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("main.yaml");
        for path in [missing.as_path(), dir.path()] {
            let error = load(Some(path)).unwrap_err().to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn a_file_beyond_the_limit_is_refused_before_it_is_parsed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("main.yaml");
        File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        assert!(matches!(
            load(Some(&path)),
            Err(MainFileError::TooLarge { .. })
        ));
    }
}
