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

const NAMING: &str = "\
errors: {404: pages/404.html}
a.example:
  errors: {404: own.txt, 503: pages/503.html}
  paths:
    /:
      errors: {503: pages/503.html}
      servers: ['127.0.0.1:1']
";

fn names(documents: &DocumentSet) -> Vec<String> {
    let named = named_files(documents).into_iter();
    named.map(|path| path.to_string()).collect()
}

#[test]
fn every_scope_may_name_files_and_each_is_named_once() {
    let more = "b.example: {errors: {500: b}, paths: {/: {servers: ['127.0.0.1:1']}}}\n";
    let documents = set(&[("upstreams.yaml", NAMING), ("conf.d/b.yaml", more)]);
    assert_eq!(
        names(&documents),
        ["b", "own.txt", "pages/404.html", "pages/503.html"]
    );
    let found = NamedFiles::collect(&named_files(&documents), |path| Ok(path.to_string().into()));
    let authored = read(&documents.with_files(found), &Surroundings::default()).expect("no fault");
    let content = |rules: &crate::rules::Rules, status| {
        rules.errors.get(status).map(|page| page.content.clone())
    };
    let host = &authored.hosts[0].host;
    assert_eq!(
        content(&authored.settings.rules, 404),
        Some("pages/404.html".into())
    );
    let route = host.rules.narrowed_by(&host.routes[0].rules);
    assert_eq!(content(&route, 404), Some("own.txt".into()));
    assert_eq!(content(&route, 503), Some("pages/503.html".into()));
    assert_eq!(content(&route, 500), None);
    assert_eq!(authored.hosts[0].places.of("errors.503"), Some((3, 31)));
}

#[test]
fn faulty_documents_name_what_can_be_found_in_them() {
    let faulty = NAMING.replace("servers", "servres");
    let documents = set(&[("upstreams.yaml", &faulty), ("conf.d/b.yaml", "a: [")]);
    assert_eq!(
        names(&documents),
        ["own.txt", "pages/404.html", "pages/503.html"]
    );
    assert!(names(&set(&[("upstreams.yaml", "errors: {404: ../x}\n")])).is_empty());
}

#[test]
fn the_names_do_not_depend_on_what_is_found() {
    let documents = set(&[("upstreams.yaml", NAMING)]);
    let read =
        |documents: &DocumentSet| read_as(documents, &Surroundings::default(), &str::to_owned);
    let without = read(&documents);
    assert!(!without.is_complete(documents.files()));
    let bad: FoundFile = Err("is larger than 1 MiB".into());
    let found = NamedFiles::collect(&without.named, |_| bad.clone());
    let refused = read(&documents.clone().with_files(found.clone()));
    assert!(refused.is_complete(&found));
    assert_eq!(refused.named, without.named);
    assert_eq!(
        refused.authored.expect_err("unusable").to_string(),
        "\
upstreams.yaml:1:15: errors.404: the file `pages/404.html` is larger than 1 MiB
upstreams.yaml:3:17: a.example.errors.404: the file `own.txt` is larger than 1 MiB
upstreams.yaml:3:31: a.example.errors.503: the file `pages/503.html` is larger than 1 MiB
upstreams.yaml:6:21: a.example.paths./.errors.503: the file `pages/503.html` is larger than 1 MiB"
    );
}
