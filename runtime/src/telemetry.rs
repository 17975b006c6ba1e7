//! Logs: one line per event, to standard error or to a file. Records of the `log` crate are written the same way.

use parking_lot::Mutex;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aralez_proto::main_config::LogLevel;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

/// Reason why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log file cannot be opened.
    #[error("cannot open the log file {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// Logging is already set up in this process.
    #[error("logging is already set up")]
    Twice,
}

/// The log of this process.
#[derive(Debug)]
pub struct Log {
    level: reload::Handle<Targets, Registry>,
    file: Option<Arc<LogFile>>,
}

impl Log {
    /// Changes the level of the events that are logged.
    pub fn set_level(&self, level: LogLevel) {
        // It fails only if the subscriber is gone, at process exit.
        let _ = self.level.reload(targets_of(filter_of(level)));
    }

    /// Opens the log file again by its name, so that a rotated file can be removed. Does nothing if the log goes to standard error.
    ///
    /// # Errors
    /// [`TelemetryError::File`]; events still go to the old file.
    pub fn reopen(&self) -> Result<(), TelemetryError> {
        self.file.as_ref().map_or(Ok(()), |file| file.reopen())
    }
}

/// Writes events at `level` and above to `file`, appending, or to standard error. Only once per process.
///
/// # Errors
/// [`TelemetryError`]; nothing is set up then.
pub fn init(level: LogLevel, file: Option<&Path>) -> Result<Log, TelemetryError> {
    let layer = tracing_subscriber::fmt::layer().with_ansi(false);
    let (filter, handle) = reload::Layer::new(targets_of(filter_of(level)));
    let shown = tracing_subscriber::registry().with(filter);
    let file = file.map(LogFile::open).transpose()?.map(Arc::new);
    let begun = match &file {
        Some(file) => {
            let file = Arc::clone(file);
            shown
                .with(layer.with_writer(move || file.current()))
                .try_init()
        }
        None => shown.with(layer.with_writer(io::stderr)).try_init(),
    };
    begun.map_err(|_| TelemetryError::Twice)?;
    Ok(Log {
        level: handle,
        file,
    })
}

/// A log file that can be reopened by its name.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    current: Mutex<Arc<File>>,
}

impl LogFile {
    fn open(path: &Path) -> Result<Self, TelemetryError> {
        let current = Mutex::new(Arc::new(open(path)?));
        let path = path.to_owned();
        Ok(Self { path, current })
    }

    fn current(&self) -> Arc<File> {
        Arc::clone(&self.current.lock())
    }

    fn reopen(&self) -> Result<(), TelemetryError> {
        let anew = Arc::new(open(&self.path)?);
        *self.current.lock() = anew;
        Ok(())
    }
}

fn open(path: &Path) -> Result<File, TelemetryError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .open(path)
        .map_err(|cause| TelemetryError::File {
            path: path.to_owned(),
            cause,
        })
}

/// Returns the filter by target. Below `info`, libraries log the data that passes through them, including header values with tokens: only
/// our own events may go lower.
fn targets_of(level: LevelFilter) -> Targets {
    let libraries = level.min(LevelFilter::INFO);
    Targets::new()
        .with_default(libraries)
        .with_target("aralez", level)
}

const fn filter_of(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Off => LevelFilter::OFF,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_never_print_what_passes_through_them() {
        let targets = targets_of(LevelFilter::TRACE);
        assert!(targets.would_enable("aralez_proxy::sync", &tracing::Level::TRACE));
        for library in ["h2", "hyper", "axum"] {
            assert!(
                !targets.would_enable(library, &tracing::Level::DEBUG),
                "{library}"
            );
            assert!(
                targets.would_enable(library, &tracing::Level::INFO),
                "{library}"
            );
        }
    }

    #[test]
    fn a_log_file_that_does_not_open_is_named() {
        let error = init(LogLevel::Info, Some(Path::new("/nowhere/at/all.log"))).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all.log"), "{error}");
    }

    #[test]
    fn the_log_keeps_to_its_level_and_follows_a_rotated_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aralez.log");
        let log = init(LogLevel::Info, Some(&path)).unwrap();
        tracing::info!(revision = 7, "applied");
        tracing::debug!("too much");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("applied") && text.contains("revision=7"),
            "{text}"
        );
        assert!(!text.contains("too much"), "{text}");

        let rotated = dir.path().join("aralez.log.1");
        std::fs::rename(&path, &rotated).unwrap();
        tracing::info!("still the old file");
        log.reopen().unwrap();
        log.set_level(LogLevel::Debug);
        tracing::debug!("shown now");
        let (old, new) = (
            std::fs::read_to_string(rotated),
            std::fs::read_to_string(&path),
        );
        assert!(old.unwrap().contains("still the old file"));
        let new = new.unwrap();
        assert!(new.contains("shown now") && !new.contains("old"), "{new}");
        assert!(matches!(
            init(LogLevel::Info, None),
            Err(TelemetryError::Twice)
        ));
    }
}
