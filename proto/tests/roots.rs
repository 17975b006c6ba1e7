//! The roots of a corpus of documents, for whoever changes how documents become records.
//!
//! Two releases that make other records of one document look out of step although they run the same. So what a release makes of each document
//! in `roots/` is pinned in `roots/EXPECTED`. Where a root changes, either the change was not meant, or it is a new format that the notes of the
//! release must tell.

#![allow(clippy::panic, clippy::unwrap_used)] // The helpers of a test are part of it.

use std::fs;
use std::path::{Path, PathBuf};

use aralez_proto::document::{self, DocumentSet, Surroundings};
use aralez_proto::model::GroupName;
use aralez_proto::record::RecordSet;

/// The documents of the corpus.
fn documents() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = fs::read_dir(here.join("tests/roots")).unwrap();
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "yaml"));
    files.sort();
    files
}

/// The views of a document: of the groups that no host names, and of `edge`.
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
    assert_eq!(found, expected, "as it is now:\n{found}");
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
