//! `main.yaml`, which documents may not name.

use std::path::{Path, PathBuf};

use aralez_runtime::withheld::{Withheld, WithheldFile};

/// The main configuration file of this control.
#[derive(Clone, Debug, Default)]
pub struct MainConfigFile {
    path: Option<PathBuf>,
    /// The file as it was at the start: an editor may have replaced it since, while a link keeps the old one.
    at_start: Withheld,
}

impl MainConfigFile {
    /// Remembers the file at this path; nothing if control runs without one.
    pub fn new(path: Option<&Path>) -> Self {
        let mut file = Self {
            // A path that cannot be made absolute is empty, and no file.
            path: path.and_then(|path| std::path::absolute(path).ok()),
            at_start: Withheld::default(),
        };
        file.at_start = file.withheld();
        file
    }

    /// Returns the files to withhold, as they are now.
    pub(super) fn withheld(&self) -> Withheld {
        let mut withheld = self.at_start.clone();
        if let Some(path) = &self.path {
            withheld.add(path, WithheldFile::MainConfig);
        }
        withheld
    }
}
