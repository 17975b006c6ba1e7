//! A set of documents under construction.

use std::collections::BTreeMap;
use std::time::Duration;

use aralez_proto::document::{DocumentFault, DocumentSet, FoundFile, MAX_BYTES, Place};
use aralez_proto::model::RelativePath;
use bytes::Bytes;

use crate::core::status::FilesReading;

/// The documents so far, with faults and warnings.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) texts: BTreeMap<String, Bytes>,
    /// The files that the documents name.
    files: BTreeMap<RelativePath, FoundFile>,
    pub(super) faults: Vec<DocumentFault>,
    warnings: Vec<DocumentFault>,
    /// Files whose disappearance looks like an accident.
    pub(super) gone: Vec<String>,
    /// Number of files left out because they are being written.
    writing: usize,
    pub(super) again_in: Option<Duration>,
}

impl Collected {
    pub(super) fn put(&mut self, name: &str, text: Bytes) {
        self.texts.insert(name.to_owned(), text);
    }

    /// Keeps the last text of a file that cannot be read; without one, the set is faulty.
    pub(super) fn trouble(&mut self, name: &str, reason: &str, taken: Option<Bytes>) {
        match taken {
            Some(text) => {
                self.put(name, text);
                self.warn(
                    name,
                    &format!("cannot be read: {reason}; its previous content stays in use"),
                );
            }
            None => self
                .faults
                .push(fault(name, &format!("cannot be read: {reason}"))),
        }
    }

    /// Keeps the last text of a file that has been written for too long; without one, the set is faulty.
    pub(super) fn writing(&mut self, name: &str, opener: Option<&str>, taken: Option<Bytes>) {
        self.writing += 1;
        let reason = being_written(opener);
        match taken {
            Some(text) => {
                self.put(name, text);
                self.warn(
                    name,
                    &format!("{reason}; its previous content stays in use"),
                );
            }
            None => self.faults.push(fault(name, &reason)),
        }
    }

    pub(super) fn put_file(&mut self, path: &RelativePath, found: FoundFile) {
        self.files.insert(path.clone(), found);
    }

    /// Keeps the last content of a named file that cannot be used; without one, adds the reason to the set.
    pub(super) fn unusable_file(&mut self, path: &RelativePath, reason: &str, kept: Option<Bytes>) {
        if kept.is_some() {
            let reason = format!("{reason}; its previous content stays in use");
            self.warn(path.as_str(), &reason);
        }
        self.put_file(path, kept.ok_or_else(|| reason.into()));
    }

    /// Keeps the last content of a named file that has been written for too long; without one, adds the reason to the set.
    pub(super) fn writing_file(
        &mut self,
        path: &RelativePath,
        opener: Option<&str>,
        kept: Option<Bytes>,
    ) {
        self.writing += 1;
        self.unusable_file(path, &being_written(opener), kept);
    }

    pub(super) fn warn(&mut self, name: &str, reason: &str) {
        self.warnings.push(fault(name, reason));
    }

    pub(super) fn look_again(&mut self, left: Option<Duration>) {
        self.again_in = [self.again_in, left].into_iter().flatten().min();
    }

    pub(super) fn check_size(&mut self) {
        let bytes: usize = self.texts.values().map(Bytes::len).sum();
        if bytes > MAX_BYTES {
            let reason = format!(
                "has {bytes} bytes together with the files in conf.d; the limit is {MAX_BYTES}"
            );
            self.faults.push(fault(DocumentSet::MAIN, &reason));
        }
    }

    pub(super) fn documents(&self) -> DocumentSet {
        let documents: DocumentSet = self.texts.clone().into_iter().collect();
        documents.with_files(self.files.clone().into_iter().collect())
    }

    pub(super) fn into_reading(self) -> FilesReading {
        FilesReading {
            documents: self.faults.is_empty().then(|| self.documents()),
            faults: self.faults,
            warnings: self.warnings,
            gone: self.gone,
            writing: self.writing,
        }
    }
}

fn being_written(opener: Option<&str>) -> String {
    let who = opener.unwrap_or("a process");
    format!("is not read: {who} has it open for writing or keeps changing it")
}

/// Returns a fault of a document or file as a whole.
pub(in super::super) fn fault(name: &str, reason: &str) -> DocumentFault {
    DocumentFault {
        place: Place {
            file: name.to_owned(),
            line: 0,
            column: 0,
        },
        path: String::new(),
        reason: reason.to_owned(),
    }
}
