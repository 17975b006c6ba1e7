//! Finds the dependencies of a manifest that the code of its crate never names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};

use crate::graph::Package;

/// Returns the dependencies that the crate's manifest lists and its code never names.
pub(crate) fn unused(package: &Package) -> Vec<String> {
    let (mut product, mut tests, mut build) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    words_below(&package.folder.join("src"), &mut product);
    words_below(&package.folder.join("tests"), &mut tests);
    words_of(&package.folder.join("build.rs"), &mut build);
    // Unit tests are in the same files as the code.
    tests.extend(product.iter().cloned());
    let is_used = |(name, kind): &&(String, Option<String>)| match kind.as_deref() {
        None => product.contains(name),
        Some("build") => build.contains(name),
        Some(_) => tests.contains(name),
    };
    let unused = package.dependencies.iter().filter(|named| !is_used(named));
    unused
        .map(|(name, kind)| {
            let table = kind
                .as_deref()
                .map_or(String::new(), |kind| format!("{kind}-"));
            format!("{} of {table}dependencies of {}", name, package.name)
        })
        .collect()
}

fn words_below(folder: &Path, words: &mut BTreeSet<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            words_below(&path, words);
        } else {
            words_of(&path, words);
        }
    }
}

/// Adds the identifiers in a file's code, macros and attributes included. Comments and string literals do not count.
fn words_of(path: &Path, words: &mut BTreeSet<String>) {
    if path.extension().is_none_or(|extension| extension != "rs") {
        return;
    }
    let Ok(text) = fs::read_to_string(path) else {
        return;
    };
    collect(
        text.parse().expect("the code of this workspace is Rust"),
        words,
    );
}

fn collect(stream: TokenStream, words: &mut BTreeSet<String>) {
    for token in stream {
        match token {
            TokenTree::Ident(word) => {
                words.insert(word.to_string());
            }
            TokenTree::Group(group) => collect(group.stream(), words),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

#[test]
fn a_dependency_that_only_a_comment_names_is_unused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("src/deep")).unwrap();
    let text =
        "//! bytes\n/// `clap`\nfn f() -> tokio_util::A { print!(\"{}\", hex::b(\"prost\")) }";
    fs::write(folder.path().join("src/deep/a.rs"), text).unwrap();
    fs::write(folder.path().join("build.rs"), "fn main() { cc::run() }").unwrap();
    let named = |name: &str, kind: Option<&str>| (name.to_owned(), kind.map(str::to_owned));
    let package = Package {
        name: "a".to_owned(),
        folder: folder.path().to_owned(),
        dependencies: vec![
            named("bytes", None),
            named("clap", Some("dev")),
            named("tokio_util", None),
            named("hex", Some("dev")),
            named("prost", None),
            named("cc", Some("build")),
            named("cc", None),
        ],
        ..Package::default()
    };
    let unused = unused(&package);
    let expected = [
        "bytes of dependencies of a",
        "clap of dev-dependencies of a",
        "prost of dependencies of a",
        "cc of dependencies of a",
    ];
    assert_eq!(unused, expected);
}
