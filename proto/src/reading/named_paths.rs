//! The files that documents name while they are read.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::model::RelativePath;
use crate::named_files::NamedFiles;

/// Maximum number of files that a set of documents names.
const MAX_FILES: usize = 1_024;
/// Maximum size of the named files, each counted in every place that names it: each place is sent to the nodes on its own.
const MAX_CARRIED: usize = 64 << 20;

/// Records the files that documents name, and hands out their contents.
#[derive(Debug, Default)]
pub(crate) struct NamedPaths {
    /// The files that were looked for.
    files: NamedFiles,
    named: BTreeSet<RelativePath>,
    /// Sum of the sizes handed out.
    carried: usize,
}

impl NamedPaths {
    /// Starts with the files that were looked for.
    pub(crate) fn new(files: NamedFiles) -> Self {
        Self {
            files,
            ..Self::default()
        }
    }

    /// Records that a document names a file, and returns its content.
    ///
    /// # Errors
    /// The reason why it cannot be used, as the end of a sentence about the file.
    pub(crate) fn content(&mut self, path: &RelativePath) -> Result<Bytes, String> {
        if self.named.len() >= MAX_FILES && !self.named.contains(path) {
            return Err(format!(
                "is one too many: documents may name {MAX_FILES} files"
            ));
        }
        self.named.insert(path.clone());
        match self.files.get(path) {
            Some(Ok(content)) => {
                self.carried += content.len();
                match self.carried <= MAX_CARRIED {
                    true => Ok(content.clone()),
                    false => Err("is one too many: the named files have more than 64 MiB, each counted in every place that names it; \
                         name it once, in a wider scope"
                        .to_owned()),
                }
            }
            Some(Err(reason)) => Err(reason.to_string()),
            None => Err("was not looked for".to_owned()),
        }
    }

    /// Returns all paths that were recorded.
    pub(crate) fn into_paths(self) -> BTreeSet<RelativePath> {
        self.named
    }
}
