//! Logs: one line per event, to standard error or to a file. Records of the `log` crate (the engine's) go the same way.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aralez_proto::main_config::LogLevel;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Why logging could not begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log file does not open.
    #[error("cannot write the log {}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// Logging was set up before in this process.
    #[error("logging was set up twice")]
    Twice,
}

/// Sends events at `level` and above to `file`, appending, or to standard error. Once per process.
///
/// # Errors
/// [`TelemetryError`]; nothing was set up then.
pub fn init(level: LogLevel, file: Option<&Path>) -> Result<(), TelemetryError> {
    let layer = tracing_subscriber::fmt::layer().with_ansi(false);
    let shown = tracing_subscriber::registry().with(targets_of(filter_of(level)));
    let begun = match file {
        Some(path) => {
            let file = Arc::new(open(path)?);
            shown.with(layer.with_writer(file)).try_init()
        }
        None => shown.with(layer.with_writer(io::stderr)).try_init(),
    };
    begun.map_err(|_| TelemetryError::Twice)
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

/// Libraries print what passes through them below `info`, header values with tokens among it: only our own events may go below.
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
    fn what_is_logged_reaches_the_file_without_what_is_below_the_level() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("aralez.log");
        init(LogLevel::Info, Some(&path)).unwrap();
        tracing::info!(revision = 7, "applied");
        tracing::debug!("too much");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("applied") && text.contains("revision=7"),
            "{text}"
        );
        assert!(!text.contains("too much"), "{text}");
        assert!(matches!(
            init(LogLevel::Info, None),
            Err(TelemetryError::Twice)
        ));
    }
}
