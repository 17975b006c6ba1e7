//! Targets: what is forwarded leads to the same route again, and no reading of it leads to the guarded path.

use aralez_decision::Pairs;

use super::corpus::hash;
use super::scene::{Fate, fate};

/// Characters about which readers of paths differ.
pub(crate) const WORDS: &[&[u8]] = &[
    b"/",
    b"//",
    b"..",
    b".",
    b"/../",
    b"/./",
    b"%2e",
    b"%2E%2e",
    b"%2f",
    b"%2F",
    b"%5c",
    b"\\",
    b";",
    b"%3b",
    b"%3B",
    b"%3f",
    b"%23",
    b"?",
    b"#",
    b"%25",
    b"%252e",
    b"%00",
    b"%73",
    b"secret",
    b"/secret",
    b"/pub",
    b"/app",
    b"%c0%ae",
    b"%ff",
    b" ",
    b"%20",
    b"http://a.test",
];

pub(crate) fn check(bytes: &[u8]) -> Result<u64, String> {
    let Ok(target) = std::str::from_utf8(bytes) else {
        return Ok(0);
    };
    let decided = fate(Some("a.test"), target, Pairs::default());
    let Fate::Forwarded(pool, forwarded) = &decided else {
        return Ok(hash(format!("{decided:?}")));
    };
    // Behind a stripped prefix, the rest is a path of its own.
    if pool.contains("/app") {
        return Ok(hash((pool, target.len().min(12))));
    }
    for reading in readings(forwarded) {
        if reading == "/secret" || reading.starts_with("/secret/") {
            return Err(format!("{forwarded} may be read as {reading}"));
        }
    }
    let again = fate(Some("a.test"), forwarded, Pairs::default());
    if again != decided {
        return Err(format!("{decided:?}, and what was forwarded is {again:?}"));
    }
    Ok(hash((
        pool,
        target.len().min(12),
        forwarded.len() == target.len(),
    )))
}

/// Returns how endpoints may understand a target: what each decodes, and where each cuts.
fn readings(target: &str) -> Vec<String> {
    let path = target.split('?').next().unwrap_or_default();
    let mut found = Vec::new();
    for choice in 0..8 {
        let [slashes, marks, parameters] = [1, 2, 4].map(|bit| choice & bit != 0);
        let mut text = decoded(path, slashes, marks);
        if marks {
            text.truncate(text.find(['?', '#']).unwrap_or(text.len()));
        }
        let cut = |segment: &str| match parameters {
            true => segment.split(';').next().unwrap_or_default().to_owned(),
            false => segment.to_owned(),
        };
        found.push(resolved(text.split('/').map(cut)));
    }
    found
}

/// Decodes escapes: those of slashes, and those of `;`, `?` and `#`, only where asked to.
fn decoded(path: &str, slashes: bool, marks: bool) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some(char) = rest.chars().next() {
        let code = rest.strip_prefix('%').and_then(|rest| rest.get(..2));
        let byte = code.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let plain = match byte {
            Some(b'/' | b'\\') => slashes.then_some('/'),
            Some(byte @ (b';' | b'?' | b'#')) => marks.then_some(char::from(byte)),
            Some(byte) => byte.is_ascii().then_some(char::from(byte)),
            None => None,
        };
        let length = if plain.is_some() { 3 } else { char.len_utf8() };
        text.push(plain.unwrap_or(char));
        rest = &rest[length..];
    }
    text
}

/// Merges slashes and resolves dot segments.
fn resolved(segments: impl Iterator<Item = String>) -> String {
    let mut path: Vec<String> = Vec::new();
    for segment in segments {
        match segment.as_str() {
            "" | "." => {}
            ".." => drop(path.pop()),
            _ => path.push(segment),
        }
    }
    format!("/{}", path.join("/"))
}
