//! The sources of the workspace, and the paths that each of them names.

use std::path::{Path, PathBuf};

use aralez_tests::files::workspace;

use crate::names::Names;

/// The crates that make up the product.
pub(crate) const CRATES: [&str; 6] = [
    "proto",
    "decision",
    "runtime",
    "aralez-proxy",
    "aralez-control",
    "aralez-ctl",
];

/// One source file.
#[derive(Debug)]
pub(crate) struct Source {
    /// The path from the root of the workspace.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// The paths that its code names, without those in its unit tests.
    pub(crate) names: Names,
}

impl Source {
    pub(crate) fn new(path: PathBuf, text: String) -> Self {
        let names = Names::of(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, text, names }
    }

    /// Returns `aralez-control` for `aralez-control/src/stream.rs`.
    pub(crate) fn folder(&self) -> &str {
        let first = self.path.components().next();
        let first = first.and_then(|part| part.as_os_str().to_str());
        first.expect("sources lie in a crate with a plain name")
    }

    /// Returns the module path: `["stream", "reader"]` for `aralez-control/src/stream/reader.rs`, empty for the root of the library.
    pub(crate) fn module(&self) -> Vec<String> {
        let inside = self.path.components().skip(2);
        let mut names: Vec<_> = inside
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        if let Some(last) = names.last_mut() {
            last.truncate(last.len().saturating_sub(".rs".len()));
        }
        names.retain(|name| name != "lib");
        names
    }

    /// Returns the first part of the module path: a layer of the crate.
    pub(crate) fn layer(&self) -> String {
        self.module().into_iter().next().unwrap_or_default()
    }

    /// Returns `file:line`, as editors accept it.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path.display())
    }

    /// Reports whether it belongs to the library or a program of its crate.
    pub(crate) fn is_in_src(&self) -> bool {
        let mut parts = self.path.components().skip(1);
        parts.next().is_some_and(|part| part.as_os_str() == "src")
    }

    /// Reports whether the file is compiled for tests only.
    pub(crate) fn is_test(&self) -> bool {
        let module = self.module();
        module.iter().any(|part| part == "tests")
    }
}

/// Returns the sources of the crates that test and measure.
pub(crate) fn harness() -> Vec<Source> {
    ["tests", "bench"].into_iter().flat_map(below).collect()
}

/// Returns the sources below a folder of the workspace, including tests.
fn below(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&workspace().join(folder), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(workspace()).unwrap().to_owned();
            found.push(Source::new(path, text));
        }
    }
}

/// Returns the sources of the product, including the files of their unit tests.
pub(crate) fn product() -> Vec<Source> {
    let all = CRATES.iter().flat_map(|name| below(&format!("{name}/src")));
    let sources: Vec<_> = all.collect();
    assert!(sources.len() > 300, "the test does not find the sources");
    sources
}

/// Returns all sources of the workspace, including all tests.
pub(crate) fn all() -> Vec<Source> {
    let crates = CRATES.into_iter().chain(["tests", "bench"]);
    crates.flat_map(below).collect()
}

/// Returns the shipped sources: those of the product without the files of their unit tests.
pub(crate) fn shipped() -> Vec<Source> {
    let mut sources = product();
    sources.retain(|source| !source.is_test());
    sources
}
