//! The shape of the code: lengths of files and functions, and names of files.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::none;
use crate::sources::{Source, harness, product, shipped};

const LONGEST_FILE: usize = 400;
const BAD_NAMES: [&str; 5] = ["utils", "common", "helpers", "misc", "manager"];
/// Limit for the median file length.
const USUAL_FILE: usize = 120;
/// Limit for the 90th percentile of function lengths. The aim is 20: this number may only decrease.
const USUAL_FUNCTION: usize = 22;

#[test]
fn names_say_what_a_thing_is() {
    let mut wrong = Vec::new();
    for source in product().iter().chain(&harness()) {
        let stem = source.path.file_stem().unwrap().to_string_lossy();
        let declared = source.names.modules.iter().map(String::as_str);
        let bad = declared
            .chain([stem.as_ref()])
            .filter(|name| BAD_NAMES.contains(name) || *name == "mod");
        wrong.extend(bad.map(|name| format!("{}: {name}", source.path.display())));
    }
    none("names that name nothing, or mod.rs", &wrong);
}

#[test]
fn files_are_short_and_begin_by_saying_what_they_are() {
    let mut wrong = Vec::new();
    for source in product().iter().chain(&harness()) {
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE {
            wrong.push(format!(
                "{}: {lines} lines, at most {LONGEST_FILE}",
                source.path.display()
            ));
        }
        let first = source.text.lines().next().unwrap_or_default();
        // The parent module documents its `tests.rs`.
        let is_tests = source.path.file_stem().is_some_and(|stem| stem == "tests");
        if !first.starts_with("//! ") && !is_tests {
            wrong.push(format!(
                "{}: does not begin with `//! ` and a sentence",
                source.path.display()
            ));
        }
    }
    none(
        "files that are too long or do not say what they are",
        &wrong,
    );
}

/// Also prints the lengths (with `--nocapture`): these are the figures that notes and reviews quote.
#[test]
fn half_of_the_files_and_nine_of_ten_functions_are_short() {
    let sources = shipped();
    let files = Lengths::of(sources.iter().map(|source| source.text.lines().count()));
    let functions = Lengths::of(sources.iter().flat_map(functions));
    for (what, lengths) in [("files", &files), ("functions", &functions)] {
        let (median, p90, max) = (lengths.at(50), lengths.at(90), lengths.at(100));
        let count = lengths.0.len();
        println!("{what}: {count}; lines: median {median}, p90 {p90}, longest {max}");
    }
    assert!(files.at(50) <= USUAL_FILE);
    assert!(functions.at(90) <= USUAL_FUNCTION);
}

/// Lengths in lines, ascending.
struct Lengths(Vec<usize>);

impl Lengths {
    fn of(lengths: impl Iterator<Item = usize>) -> Self {
        let mut sorted: Vec<usize> = lengths.collect();
        sorted.sort_unstable();
        Self(sorted)
    }

    /// Returns the length that `percent` of them do not exceed.
    fn at(&self, percent: usize) -> usize {
        let index = (self.0.len() * percent).div_ceil(100).max(1) - 1;
        self.0[index]
    }
}

/// Returns the lengths of the functions of a file, unit tests included, from `fn` to the end of the body. Blank lines and comments do not
/// count.
fn functions(source: &Source) -> Vec<usize> {
    let tokens: TokenStream = source.text.parse().unwrap();
    let mut found = Vec::new();
    collect(tokens, &mut found);
    let lines: Vec<_> = source.text.lines().map(str::trim).collect();
    let is_code = |line: &&&str| !line.is_empty() && !line.starts_with("//");
    let spans = found.into_iter();
    spans
        .map(|(first, last)| lines[first - 1..last].iter().filter(is_code).count())
        .collect()
}

/// Collects the first and the last line of every function, counted from 1.
fn collect(tokens: TokenStream, found: &mut Vec<(usize, usize)>) {
    // The line of a `fn` whose body has not been reached yet.
    let mut begun = None;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if word == "fn" => begun = Some(word.span().start().line),
            TokenTree::Punct(mark) if mark.as_char() == ';' => begun = None,
            TokenTree::Group(group) => {
                if let (Delimiter::Brace, Some(first)) = (group.delimiter(), begun) {
                    found.push((first, group.span_close().end().line));
                    begun = None;
                }
                collect(group.stream(), found);
            }
            _ => {}
        }
    }
}
