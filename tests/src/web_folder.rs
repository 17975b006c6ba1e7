//! A folder of files, and a fleet whose only host serves it.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::fleet::{Fleet, LIVE, Plan};

/// The host that serves the folder.
pub const HOST: &str = "a.test";

/// A folder `www` that a proxy may serve, in a folder of its own that it may not.
#[derive(Debug)]
pub struct WebFolder(TempDir);

impl WebFolder {
    /// Makes an empty folder.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn empty() -> Self {
        let outer = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::create_dir(outer.path().join("www")).expect("a folder can be made");
        Self(outer)
    }

    /// Makes a folder with these files, by name and content.
    ///
    /// # Panics
    /// If a file cannot be written.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::empty();
        for (name, content) in files {
            folder.write(name, content.as_bytes());
        }
        folder
    }

    /// Returns the folder that is served.
    pub fn root(&self) -> PathBuf {
        self.0.path().join("www")
    }

    /// Returns the folder around it.
    pub fn outside(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file below the folder, with the time of an hour ago: what was written just now has an entity tag that matches nothing.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.root().join(name);
        let folder = path.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(folder).expect("a folder can be made");
        std::fs::write(&path, content).expect("a file is written");
        let hour = std::time::Duration::from_secs(3_600);
        let file = std::fs::File::options().write(true).open(&path);
        let time = std::time::SystemTime::now() - hour;
        file.and_then(|file| file.set_modified(time))
            .expect("a file has a time");
        path
    }

    /// Makes a symlink below the folder.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn link(&self, target: impl AsRef<Path>, name: &str) {
        symlink(target, self.root().join(name)).expect("a symlink is made");
    }

    /// Starts a fleet of one proxy whose host has these paths; `ROOT` in them stands for the folder.
    ///
    /// # Panics
    /// If it does not start to serve.
    pub async fn serve(&self, paths: &str) -> Fleet {
        self.serve_with("", paths).await
    }

    /// The same, with lines for the proxy's `main.yaml`.
    ///
    /// # Panics
    /// If it does not start to serve.
    pub async fn serve_with(&self, main: &str, paths: &str) -> Fleet {
        let root = self.root().display().to_string();
        let document = format!("{HOST}:\n  paths:\n{}", paths.replace("ROOT", &root));
        let plan = Plan::new(1).proxy(0, &format!("file_roots: [\"{root}\"]\n{main}"));
        let fleet = plan.document(&document).start().await;
        fleet.until_current(LIVE).await;
        fleet
    }
}
