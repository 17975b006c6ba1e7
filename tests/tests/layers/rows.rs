//! The rows of `tests/rows.txt`, and the tests that prove them.
//!
//! A line of the list names an id, what is promised, and the tests. Each of these has a comment `// Row ID: …` above it; a case of the corpus
//! has the id in its `rule`. The list and the comments must agree in both directions, so a test cannot lose its row when it is renamed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aralez_tests::files::{files_below, workspace};

use crate::none;
use crate::sources::{Source, all};

const LIST: &str = "tests/rows.txt";
const CORPUS: &str = "tests/corpus";
const COMMENT: &str = "// Row ";

/// The tests that prove a row, as `FILE::NAME`.
type Proofs = BTreeMap<String, BTreeSet<String>>;

/// Reads the list.
fn listed(text: &str) -> Result<Proofs, String> {
    let mut rows = Proofs::new();
    let lines = text.lines().filter(|line| !line.is_empty());
    for line in lines.filter(|line| !line.starts_with('#')) {
        let parts: Vec<&str> = line.split(" | ").collect();
        let [id, promise, tests] = parts[..] else {
            return Err(format!("expected `ID | promise | tests`: {line}"));
        };
        let tests = tests.split(", ").map(str::to_owned).collect();
        if !promise.ends_with('.') || rows.insert(id.to_owned(), tests).is_some() {
            return Err(format!("no sentence, or an id that stands twice: {line}"));
        }
    }
    Ok(rows)
}

/// Returns the tests of a source with the rows of their comments, and what is wrong with the comments.
fn commented(file: &str, text: &str) -> (Vec<(String, String)>, Vec<String>) {
    let (mut found, mut wrong) = (Vec::new(), Vec::new());
    let (mut rows, mut is_test) = (Vec::new(), false);
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        if let Some(row) = line.strip_prefix(COMMENT) {
            let id = row.split_once(": ").map_or(row, |(id, _)| id);
            rows.push(id.to_owned());
        } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(name) = function(line) {
            if !rows.is_empty() && !is_test {
                wrong.push(format!("{file}:{number}: {name} is no test"));
            }
            let test = format!("{file}::{name}");
            found.extend(rows.drain(..).map(|id| (id, test.clone())));
            is_test = false;
        } else if !rows.is_empty() && !line.starts_with("//") && !line.starts_with("#[") {
            wrong.push(format!("{file}:{number}: {rows:?} stand above no test"));
            rows.clear();
        }
    }
    (found, wrong)
}

fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    let (name, _) = line.strip_prefix("fn ")?.split_once(['(', '<'])?;
    Some(name)
}

/// Returns the cases of a corpus file with the ids of their `rule`.
fn cases(file: &str, text: &str) -> Vec<(String, String)> {
    let mut case = "";
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some((name, _)) = line.strip_prefix("== ").and_then(|it| it.split_once(':')) {
            case = name;
        } else if let Some(rule) = line.strip_prefix("rule: ") {
            let ids = rule.split('(').skip(1).filter_map(|it| it.split_once(')'));
            found.extend(ids.map(|(id, _)| (id.to_owned(), format!("{file}::{case}"))));
        }
    }
    found
}

/// Reports the rows whose tests and comments differ.
fn differences(rows: &Proofs, proofs: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    let has: BTreeSet<(&str, &str)> = proofs
        .iter()
        .map(|(id, test)| (id.as_str(), test.as_str()))
        .collect();
    for (id, tests) in rows {
        let lacking = tests.iter().filter(|test| !has.contains(&(id, test)));
        wrong.extend(lacking.map(|test| format!("{id}: {test} has no comment of this row")));
    }
    for (id, test) in &has {
        match rows.get(*id) {
            Some(tests) if tests.contains(*test) => {}
            Some(_) => wrong.push(format!("{id}: {LIST} does not name {test}")),
            None => wrong.push(format!(
                "{id}: {test} names a row that {LIST} does not have"
            )),
        }
    }
    wrong
}

#[test]
fn each_row_has_its_tests_and_each_test_its_rows() {
    let list = std::fs::read_to_string(workspace().join(LIST)).unwrap();
    let rows = listed(&list).unwrap();
    let (mut proofs, mut wrong) = (Vec::new(), Vec::new());
    for Source { path, text, .. } in all() {
        let (found, faults) = commented(&path.display().to_string(), &text);
        proofs.extend(found);
        wrong.extend(faults);
    }
    wrong.extend(differences(&rows, &proofs_with_corpus(&rows, proofs)));
    none("rows and their tests", &wrong);
}

/// Adds the cases of the corpus that the list names. Other cases may cite a row too: they are more of the same.
fn proofs_with_corpus(rows: &Proofs, mut proofs: Vec<(String, String)>) -> Vec<(String, String)> {
    for path in files_below(&workspace().join(CORPUS)) {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(workspace()).unwrap_or(Path::new(""));
        let cases = cases(&name.display().to_string(), &text);
        let is_named =
            |(id, case): &(String, String)| rows.get(id).is_some_and(|tests| tests.contains(case));
        proofs.extend(cases.into_iter().filter(is_named));
    }
    proofs
}

#[test]
fn a_row_without_its_test_and_a_comment_without_its_row_are_found() {
    let rows = listed("# a\n\nA-1 | Says so. | a.rs::one, a.rs::two\nB-2 | And so. | c.txt::x\n");
    let source = format!(
        "{COMMENT}A-1: x.\n#[test]\nfn one() {{}}\n\n/// Text.\n{COMMENT}C-3: y.\n#[tokio::test]\nasync fn three() {{}}\n{COMMENT}A-1: z.\nfn two() {{}}\n{COMMENT}A-1: w.\nlet x = 1;\n"
    );
    let (found, wrong) = commented("a.rs", &source);
    assert_eq!(
        wrong,
        [
            "a.rs:10: two is no test",
            "a.rs:12: [\"A-1\"] stand above no test"
        ]
    );
    let found = [found, cases("c.txt", "== x: y\nrule: RFC 1, z 5 (B-2)\n")].concat();
    let rows = rows.unwrap();
    assert_eq!(
        differences(&rows, &found),
        ["C-3: a.rs::three names a row that tests/rows.txt does not have"]
    );
    assert_eq!(
        differences(&rows, &found[..1]),
        [
            "A-1: a.rs::two has no comment of this row",
            "B-2: c.txt::x has no comment of this row"
        ]
    );
    assert!(listed("A-1 | No sentence | a.rs::one").is_err());
}
