//! The file source: watches the folders of `upstreams_conf` and `conf.d/` and tells what the set of files is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::watch;

use crate::core::status::{KnownFiles, Reading};
use crate::core::store::MainFile;

/// A running file source. Ends when it is dropped.
#[derive(Debug)]
pub struct FileSource {
    readings: watch::Receiver<Option<Arc<Reading>>>,
}

impl FileSource {
    /// Begins to watch `main` (`upstreams_conf`) and `conf.d/` beside it. `known` is what the files held when they were last taken.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn spawn(main: &Path, known: KnownFiles) -> std::io::Result<Self> {
        let _ = (main, known);
        Ok(Self {
            readings: watch::channel(None).1,
        })
    }

    /// The newest reading; `None` before the first.
    pub fn readings(&self) -> watch::Receiver<Option<Arc<Reading>>> {
        self.readings.clone()
    }
}

/// Writes the main document where `upstreams_conf` points.
#[derive(Clone, Debug)]
pub struct MainDocument {
    path: PathBuf,
}

impl MainDocument {
    /// The document at this path.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl MainFile for MainDocument {
    fn save(&self, _text: &[u8]) -> Result<(), String> {
        Err(format!("{}: not built yet", self.path.display()))
    }
}
