//! The messages that are kept: where every run begins.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::Target;

/// A kept message and its name.
pub(crate) type Kept = (String, Vec<u8>);

impl Target {
    fn folder(self) -> PathBuf {
        let name = match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Body => "body",
        };
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fuzz/corpus")
            .join(name)
    }

    /// What is kept for it, by name.
    pub(crate) fn kept(self) -> Vec<Kept> {
        let entries = fs::read_dir(self.folder()).expect("the corpus is part of the tree");
        let mut kept: Vec<Kept> = entries
            .map(|entry| entry.unwrap())
            .map(|entry| {
                (
                    entry.file_name().to_string_lossy().into_owned(),
                    fs::read(entry.path()).unwrap(),
                )
            })
            .collect();
        kept.sort();
        assert!(kept.len() > 10, "the corpus is not found");
        kept
    }

    /// Keeps what failed, so that the next run begins with it. Where it lies.
    pub(crate) fn keep(self, bytes: &[u8]) -> PathBuf {
        let path = self.folder().join(format!("failed-{:016x}", hash(bytes)));
        // Where the tree cannot be written to, the message on the screen is all there is.
        let _ = fs::write(&path, bytes);
        path
    }
}

/// A number that says which bytes these are.
pub(crate) fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
