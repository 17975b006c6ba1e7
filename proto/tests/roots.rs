//! Pins the roots of a corpus of documents, against unintended changes of the way from documents to records.
//!
//! If two releases derive different records from the same document, their nodes look out of step although they run the same configuration.
//! `roots/EXPECTED` therefore pins the roots of each document in `roots/`. A changed root is either a mistake, or a new format that the
//! release notes must mention.

#![allow(clippy::panic, clippy::unwrap_used)] // Also outside of test functions, in their helpers.

use std::fs;
use std::path::{Path, PathBuf};

use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::model::GroupName;
use aralez_proto::record::RecordSet;

/// Returns the paths of the documents in the corpus.
fn documents() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(here.join("tests/roots")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    files
}

/// Returns the views of a document: for groups that no host names, and for `edge`.
fn views(file: &Path) -> [(&'static str, RecordSet); 2] {
    let set = DocumentSet::of_main(fs::read(file).unwrap().into());
    let authored = document::read(&set, &Surroundings::default())
        .unwrap_or_else(|faults| panic!("{}: {faults}", file.display()));
    let edge: GroupName = "edge".parse().unwrap();
    [
        ("others", document::records(&authored, None)),
        ("edge", document::records(&authored, Some(&edge))),
    ]
}

#[test]
fn every_document_has_the_roots_that_every_release_of_this_format_gives_it() {
    let mut found = String::new();
    for file in documents() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        for (group, records) in views(&file) {
            let (authored, root) = (records.authored_root(), records.root());
            found += &format!("{name} {group} {authored} {root}\n");
        }
    }
    let expected = include_str!("roots/EXPECTED");
    assert_eq!(found, expected, "roots now:\n{found}");
}

#[test]
fn documents_make_authored_records_alone() {
    let none = RecordSet::default();
    for file in documents() {
        for (_, records) in views(&file) {
            assert_eq!(records.other().count(), 0);
            let same = none.authored_root() == records.authored_root();
            assert_eq!(same, records.is_empty(), "{}", file.display());
        }
    }
}
