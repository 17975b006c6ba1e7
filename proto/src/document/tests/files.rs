//! The files of a set of documents.

use super::*;
use crate::document::{FoundFile, NamedFiles};

fn files(files: &[(&str, FoundFile)]) -> NamedFiles {
    let file = |(path, found): &(&str, FoundFile)| (path.parse().expect("a path"), found.clone());
    files.iter().map(file).collect()
}

#[test]
fn the_hash_of_a_set_covers_its_files_and_no_file_is_taken_for_a_document() {
    let documents = set(&[("upstreams.yaml", "a")]);
    let with =
        |found: &[(&str, FoundFile)]| documents.clone().with_files(files(found)).content_hash();
    let plain = documents.content_hash();
    assert_eq!(with(&[]), plain);
    assert_eq!(
        with(&[("a", Err("is missing".into()))]),
        plain,
        "a file that is not there"
    );
    let one = with(&[("a", Ok("1".into()))]);
    assert_ne!(one, plain);
    assert_ne!(one, with(&[("a", Ok("2".into()))]), "other content");
    assert_ne!(one, with(&[("b", Ok("1".into()))]), "another name");
    assert_ne!(
        one,
        with(&[("a", Ok("1".into())), ("b", Ok("".into()))]),
        "one more"
    );
    let document = set(&[("upstreams.yaml", "a"), ("a", "1")]);
    assert_ne!(one, document.content_hash(), "a document of that name");
}

#[test]
fn a_set_without_some_documents_keeps_its_files() {
    let found = files(&[("a", Ok("1".into()))]);
    let documents = set(&[("upstreams.yaml", ""), ("conf.d/a.yaml", "")]).with_files(found.clone());
    let left = documents.without(&["conf.d/a.yaml".to_owned()]);
    assert_eq!(left, set(&[("upstreams.yaml", "")]).with_files(found));
}
