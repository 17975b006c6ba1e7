//! One name, one type: within a crate, no two types that other modules can see share a name.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

use crate::none;
use crate::sources::{harness, shipped};

const KINDS: [&str; 5] = ["struct", "enum", "trait", "union", "type"];

#[test]
fn no_two_public_types_of_a_crate_share_a_name() {
    let sources: Vec<_> = shipped().into_iter().chain(harness()).collect();
    let mut places: BTreeMap<(&str, String), Vec<String>> = BTreeMap::new();
    // Each file of `tests/` is a crate of its own.
    let libraries = sources.iter().filter(|source| source.is_in_src());
    for source in libraries {
        for (line, name) in public_types(source.text.parse().unwrap()) {
            let same = places.entry((source.folder(), name)).or_default();
            same.push(source.at(line));
        }
    }
    let shared = places.into_iter().filter(|(_, places)| places.len() > 1);
    let wrong: Vec<_> = shared
        .map(|((_, name), places)| format!("{name}: {}", places.join(", ")))
        .collect();
    none("types of one crate that share a name", &wrong);
}

/// Returns the lines and names of the types that are declared at module level with any `pub`, except in unit tests.
fn public_types(tokens: TokenStream) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    collect(tokens, &mut found);
    found
}

/// Collects the types, item by item. An item's tokens end with `;` or with its block.
fn collect(tokens: TokenStream, found: &mut Vec<(usize, String)>) {
    let mut item: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let ends = match &token {
            TokenTree::Punct(mark) => mark.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        item.push(token);
        if ends {
            take(&item, found);
            item.clear();
        }
    }
}

fn take(item: &[TokenTree], found: &mut Vec<(usize, String)>) {
    let words: Vec<&Ident> = item.iter().filter_map(word).collect();
    let is = |at: usize, name: &str| words.get(at).is_some_and(|word| *word == name);
    let public = is(0, "pub");
    let at = usize::from(public);
    if KINDS.iter().any(|kind| is(at, kind)) && public {
        let named = words.get(at + 1);
        found.extend(named.map(|name| (name.span().start().line, name.to_string())));
    }
    match item.last() {
        Some(TokenTree::Group(body)) if is(at, "mod") && !is_for_tests(item) => {
            collect(body.stream(), found);
        }
        _ => {}
    }
}

const fn word(token: &TokenTree) -> Option<&Ident> {
    match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    }
}

fn is_for_tests(item: &[TokenTree]) -> bool {
    let mut attributes = item
        .iter()
        .filter(|token| matches!(token, TokenTree::Group(_)));
    attributes.any(|token| token.to_string().replace(' ', "") == "[cfg(test)]")
}

#[test]
fn types_are_found_whatever_their_visibility_and_left_out_in_tests() {
    let text = "pub struct A; struct B; pub(crate) enum C { D } pub mod inner { pub trait E { type F; } }
        impl A { pub fn new() { struct G; } } pub type H = u8; #[cfg(test)] mod tests { pub struct I; }";
    let found = public_types(text.parse().unwrap());
    let names: Vec<&str> = found.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["A", "C", "E", "H"]);
}
