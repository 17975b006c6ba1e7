//! The texts that were used last.

use std::collections::BTreeMap;

use aralez_proto::document::DocumentSet;
use aralez_proto::model::RelativePath;
use bytes::Bytes;

/// Texts of documents and of the files that they name. No document has the name of such a file ([`RelativePath`]).
#[derive(Debug)]
pub(super) struct TakenTexts {
    pub(super) documents: BTreeMap<String, Bytes>,
    pub(super) files: BTreeMap<RelativePath, Bytes>,
}

impl TakenTexts {
    /// Returns the texts of a set.
    pub(super) fn of(set: &DocumentSet) -> Self {
        let files = set.files().contents();
        Self {
            documents: set.documents().clone(),
            files: files
                .map(|(path, content)| (path.clone(), content.clone()))
                .collect(),
        }
    }

    /// Returns the text of a document or file.
    pub(super) fn get(&self, name: &str) -> Option<&Bytes> {
        self.documents.get(name).or_else(|| self.files.get(name))
    }
}
