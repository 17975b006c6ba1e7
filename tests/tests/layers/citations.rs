//! The rules of the HTTP RFCs that the code enforces, collected from the comments that cite them into `docs/http-rules.md`.
//!
//! A citation is a comment line `RFC 9112 section 6.3: what must be done.` above the code that does it; it may continue on the next lines up to
//! the full stop. `ARALEZ_RENEW=1 cargo test -p aralez-tests --test layers citations` writes the list again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aralez_tests::files::workspace;

use crate::sources::{Source, product};

const LIST: &str = "docs/http-rules.md";
const RFCS: [(u32, &str); 12] = [
    (2104, "HMAC: Keyed-Hashing for Message Authentication"),
    (3986, "Uniform Resource Identifier"),
    (6455, "The WebSocket Protocol"),
    (6585, "Additional HTTP Status Codes"),
    (6750, "Bearer Token Usage"),
    (7239, "Forwarded HTTP Extension"),
    (7515, "JSON Web Signature"),
    (7519, "JSON Web Token"),
    (7617, "The Basic Authentication Scheme"),
    (9106, "Argon2"),
    (9110, "HTTP Semantics"),
    (9112, "HTTP/1.1"),
];

/// One rule at one place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Citation {
    rfc: u32,
    section: Vec<u32>,
    rule: String,
    file: String,
}

/// The text of a line that is a comment and nothing else.
fn comment(line: &str) -> Option<&str> {
    let text = line.trim_start().strip_prefix("//")?;
    let text = text.strip_prefix(['/', '!']).unwrap_or(text);
    Some(text.trim())
}

/// Splits `RFC 9112 section 6.3: rule` into its parts.
fn begin(text: &str) -> Option<(u32, Vec<u32>, &str)> {
    let (rfc, rest) = text.strip_prefix("RFC ")?.split_once(" section ")?;
    let (section, rule) = rest.split_once(": ")?;
    let section: Result<Vec<u32>, _> = section.split('.').map(str::parse).collect();
    Some((rfc.parse().ok()?, section.ok()?, rule))
}

fn citations(file: &str, text: &str) -> Vec<Citation> {
    let mut comments = text.lines().map(comment).peekable();
    let mut found = Vec::new();
    while let Some(line) = comments.next() {
        let Some((rfc, section, rule)) = line.and_then(begin) else {
            continue;
        };
        let mut rule = rule.to_owned();
        while !rule.ends_with('.') {
            match comments.next_if(|next| next.is_some_and(|next| begin(next).is_none())) {
                Some(next) => rule = format!("{rule} {}", next.unwrap_or_default()),
                None => break,
            }
        }
        found.push(Citation {
            rfc,
            section,
            rule,
            file: file.to_owned(),
        });
    }
    found
}

fn all() -> BTreeSet<Citation> {
    let read = |source: &Source| citations(&source.path.display().to_string(), &source.text);
    product().iter().flat_map(read).collect()
}

fn list(citations: &BTreeSet<Citation>) -> String {
    let mut text = "# Rules of HTTP that the proxy enforces\n\n\
        Collected from the comments that cite them, each above the code that enforces it; `tests/tests/layers/citations.rs` keeps this list up to date.\n"
        .to_owned();
    for (rfc, title) in RFCS {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n## RFC {rfc}: {title}\n\n| section | rule | enforced in |\n|---|---|---|\n"
        );
        let mut rules: BTreeMap<(&[u32], &str), Vec<&str>> = BTreeMap::new();
        for cited in citations.iter().filter(|cited| cited.rfc == rfc) {
            let rule = (cited.section.as_slice(), cited.rule.as_str());
            rules.entry(rule).or_default().push(&cited.file);
        }
        for ((section, rule), files) in rules {
            let section: Vec<String> = section.iter().map(u32::to_string).collect();
            let section = section.join(".");
            let rule = rule.replace('|', "\\|");
            let files: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
            let link =
                format!("[{section}](https://www.rfc-editor.org/rfc/rfc{rfc}#section-{section})");
            let _ = writeln!(text, "| {link} | {rule} | {} |", files.join(", "));
        }
    }
    text
}

#[test]
fn the_list_of_enforced_rules_is_what_the_code_cites() {
    let path = workspace().join(LIST);
    let list = list(&all());
    if std::env::var_os("ARALEZ_RENEW").is_some() {
        std::fs::write(&path, &list).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == list,
        "{LIST} is out of date: ARALEZ_RENEW=1 cargo test -p aralez-tests --test layers citations"
    );
}

#[test]
fn a_citation_names_a_known_rfc_and_is_one_sentence() {
    let all = all();
    assert!(all.len() > 50, "only {} citations found", all.len());
    for cited in &all {
        let Citation {
            rfc,
            section,
            rule,
            file,
        } = cited;
        let known = RFCS.iter().any(|(known, _)| known == rfc);
        assert!(known, "{file}: RFC {rfc} is not listed in this test");
        assert!(!section.is_empty() && section.len() <= 4, "{cited:?}");
        let begins = rule
            .chars()
            .next()
            .is_some_and(|first| !first.is_whitespace());
        assert!(begins && rule.ends_with('.'), "not a sentence: {cited:?}");
    }
}

#[test]
fn a_citation_goes_on_up_to_its_full_stop() {
    let text = "/// Text. RFC 9112 section 1: not at the start of a line.\n    // RFC 9112 section 6.3: a response to HEAD\n    // has no body.\n    // Not part of it.\n    code();\n";
    let found = citations("a.rs", text);
    let expected = Citation {
        rfc: 9112,
        section: vec![6, 3],
        rule: "a response to HEAD has no body.".to_owned(),
        file: "a.rs".to_owned(),
    };
    assert_eq!(found, [expected]);
}
