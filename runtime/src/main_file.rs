//! Reads `main.yaml` from disk. `aralez_proto::main_config` parses it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use aralez_proto::document::{DocumentFault, DocumentFaults};
use aralez_proto::main_config::{self, ChangedKey, MainConfig};

/// Limit on the size of `main.yaml`, in bytes: 1 MiB.
pub const MAX_BYTES: u64 = 1 << 20;

/// Reason why there is no main configuration.
#[derive(Debug, thiserror::Error)]
pub enum MainFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// The file is larger than [`MAX_BYTES`].
    #[error("{}: larger than {MAX_BYTES} bytes, the maximum for main.yaml", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file has faults, listed one a line.
    #[error("{0}")]
    Faults(DocumentFaults),
}

/// A `main.yaml` as it was last read, for rereading while the daemon runs.
#[derive(Debug)]
pub struct MainFile {
    path: Option<PathBuf>,
    text: Vec<u8>,
}

impl MainFile {
    /// Reads the file; returns the defaults without a path.
    ///
    /// # Errors
    /// [`MainFileError`].
    pub fn open(path: Option<&Path>) -> Result<(Self, MainConfig), MainFileError> {
        let text = path.map_or_else(|| Ok(Vec::new()), text_of)?;
        let config = parse(path, &text)?;
        let path = path.map(Path::to_owned);
        Ok((Self { path, text }, config))
    }

    /// Returns a fault of a key whose value cannot be used on this machine, with its place in the file.
    pub fn fault(&self, key: &'static str, reason: String) -> DocumentFault {
        main_config::fault_of(&shown(self.path.as_deref()), &self.text, key, reason)
    }

    /// Reads the file again. Returns the new configuration and the keys that changed.
    ///
    /// # Errors
    /// [`MainFileError`]; the next reload still compares with the last good text.
    pub fn reload(&mut self) -> Result<(MainConfig, Vec<ChangedKey>), MainFileError> {
        let (now, config) = Self::open(self.path.as_deref())?;
        let changed = main_config::changes(&self.text, &now.text);
        *self = now;
        Ok((config, changed))
    }
}

/// Reads a `main.yaml`; returns the defaults without a path. Links are followed: Kubernetes mounts files as links.
///
/// # Errors
/// [`MainFileError`].
pub fn load(path: Option<&Path>) -> Result<MainConfig, MainFileError> {
    MainFile::open(path).map(|(_, config)| config)
}

fn parse(path: Option<&Path>, text: &[u8]) -> Result<MainConfig, MainFileError> {
    main_config::read(&shown(path), text).map_err(MainFileError::Faults)
}

/// Returns the name of the file in faults.
fn shown(path: Option<&Path>) -> String {
    path.map_or_else(String::new, |path| path.display().to_string())
}

fn text_of(path: &Path) -> Result<Vec<u8>, MainFileError> {
    let text = read(path).map_err(|cause| MainFileError::Unreadable {
        path: path.to_owned(),
        cause,
    })?;
    if text.len() as u64 > MAX_BYTES {
        return Err(MainFileError::TooLarge {
            path: path.to_owned(),
        });
    }
    Ok(text)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
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
    fn a_faulty_file_does_not_change_what_the_next_one_is_compared_with() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("main.yaml");
        let write = |text: &str| std::fs::write(&path, text).unwrap();
        write("threads: 1\n");
        let (mut file, _) = MainFile::open(Some(&path)).unwrap();
        write("threads: none\n");
        assert!(file.reload().is_err());
        write("threads: 1\nlame_duck: 1s\n");
        let (config, changed) = file.reload().unwrap();
        assert_eq!(config.lame_duck, std::time::Duration::from_secs(1));
        assert_eq!(changed.len(), 1);
        assert!(file.reload().unwrap().1.is_empty());
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
