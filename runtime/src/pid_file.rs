//! `pid_file`: the process id, for people and scripts that send signals.

use std::io;
use std::path::{Path, PathBuf};

use tracing::warn;

/// Error: the file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("pid_file: cannot write {}: {cause}", path.display())]
pub struct PidFileError {
    path: PathBuf,
    cause: io::Error,
}

/// A file with the id of this process. It is removed on an orderly exit, unless a successor has written its own id.
#[derive(Debug)]
#[must_use = "the file is removed when this is dropped"]
pub struct PidFile(PathBuf);

impl PidFile {
    /// Writes the file.
    ///
    /// # Errors
    /// [`PidFileError`] with the path.
    pub fn write(path: &Path) -> Result<Self, PidFileError> {
        let text = format!("{}\n", std::process::id());
        std::fs::write(path, text).map_err(|cause| PidFileError {
            path: path.to_owned(),
            cause,
        })?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        if text.trim().parse() != Ok(std::process::id()) {
            return;
        }
        if let Err(error) = std::fs::remove_file(&self.0) {
            warn!(%error, file = %self.0.display(), "pid file not removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_goes_with_the_process_that_wrote_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aralez.pid");
        let own = PidFile::write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.trim(), std::process::id().to_string());
        drop(own);
        assert!(!path.exists());
    }

    #[test]
    fn the_file_of_a_successor_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aralez.pid");
        let own = PidFile::write(&path).unwrap();
        std::fs::write(&path, "1\n").unwrap();
        drop(own);
        assert!(path.exists());
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let error = PidFile::write(Path::new("/nowhere/aralez.pid")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/aralez.pid"), "{error}");
    }
}
