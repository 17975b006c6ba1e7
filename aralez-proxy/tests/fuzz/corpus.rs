//! The corpus: messages with which every run begins.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::{Reader, Target};

/// Name and bytes of a message of the corpus.
pub(crate) type Kept = (String, Vec<u8>);

impl Target {
    fn folder(self) -> PathBuf {
        let name = match self {
            Self::Message(Reader::Request) => "request",
            Self::Message(Reader::Response) => "response",
            Self::Message(Reader::Body) => "body",
            Self::Credentials => "credentials",
            Self::Token => "token",
            Self::Path => "path",
            Self::Ranges => "range",
            Self::Document => "document",
            Self::UsersFile => "users-file",
        };
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fuzz/corpus")
            .join(name)
    }

    /// Returns the corpus of this target, sorted by name.
    pub(crate) fn kept(self) -> Vec<Kept> {
        let entries = fs::read_dir(self.folder()).expect("cannot read the corpus");
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
        assert!(kept.len() > 10, "the corpus is incomplete");
        kept
    }

    /// Adds a failed message to the corpus, so that the next run begins with it. Returns its path.
    pub(crate) fn keep(self, bytes: &[u8]) -> PathBuf {
        let path = self.folder().join(format!("failed-{:016x}", hash(bytes)));
        // If the source tree is read-only, the message is only printed.
        let _ = fs::write(&path, bytes);
        path
    }
}

/// Returns a hash that is the same in every run.
pub(crate) fn hash(what: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}
