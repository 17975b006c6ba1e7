//! A slow reference implementation of the rule for paths, which works on whole texts step by step and shares no code with the module. Both
//! must agree on random routes and targets: on refusals, forwarded paths and selected routes.

use proptest::prelude::*;

use crate::matcher::{PathIndex, PlainGet, RequestPath, normalise_route_path};

/// Converts every escape to upper case. `None` if one is malformed or a character is raw that must be escaped.
fn upper_escapes(path: &str) -> Option<String> {
    let mut upper = String::new();
    let mut rest = path;
    while !rest.is_empty() {
        let first = rest.chars().next()?;
        let length = if first == '%' { 3 } else { first.len_utf8() };
        let piece = rest.get(..length)?;
        if first == '%' {
            let digits = &piece[1..];
            if !digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
                return None;
            }
            let value = u8::from_str_radix(digits, 16).ok()?;
            if value < 32 || value == 127 {
                return None;
            }
            upper.push_str(&piece.to_uppercase());
        } else if !(33..127).contains(&u32::from(first)) || "\\#".contains(first) {
            return None;
        } else {
            upper.push(first);
        }
        rest = &rest[length..];
    }
    Some(upper)
}

/// Decodes the escapes of these characters.
fn decoded(path: &str, characters: &str) -> String {
    let mut parts = path.split('%');
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let value = u32::from_str_radix(&part[..2], 16).unwrap();
        match char::from_u32(value).filter(|one| characters.contains(*one)) {
            Some(one) => text.push(one),
            None => {
                text.push('%');
                text.push_str(&part[..2]);
            }
        }
        text.push_str(&part[2..]);
    }
    text
}

fn unreserved() -> String {
    let letters = ('a'..='z').chain('A'..='Z').chain('0'..='9');
    letters.chain("-._~".chars()).collect()
}

/// Returns the characters whose escapes are read as the character: all visible ones except `% / ; \ ? #`.
fn readable() -> String {
    ('!'..='~')
        .filter(|one| !"%/;\\?#".contains(*one))
        .collect()
}

/// Resolves dot segments one at a time, literally as in RFC 3986 section 5.2.4.
fn without_dots(path: &str) -> String {
    let (mut input, mut output) = (path.to_owned(), String::new());
    while !input.is_empty() {
        if let Some(rest) = input.strip_prefix("/./") {
            input = format!("/{rest}");
        } else if input == "/." {
            input = "/".to_owned();
        } else if input.starts_with("/../") || input == "/.." {
            input = format!("/{}", input.get(4..).unwrap_or_default());
            output.truncate(output.rfind('/').unwrap_or(0));
        } else {
            let end = input[1..].find('/').map_or(input.len(), |at| at + 1);
            output.push_str(&input[..end]);
            input.drain(..end);
        }
    }
    output
}

fn merged(path: &str) -> String {
    let mut merged = path.to_owned();
    while merged.contains("//") {
        merged = merged.replace("//", "/");
    }
    merged
}

fn has_dots(path: &str) -> bool {
    path.split('/')
        .any(|segment| segment == "." || segment == "..")
}

/// Returns F of a path; `None`: 400.
pub(super) fn forwarded(path: &str) -> Option<String> {
    let upper = upper_escapes(path)?;
    let parameter = upper.contains(';') || upper.contains("%3B");
    if !path.starts_with('/') || (upper.contains("%5C") && parameter) {
        return None;
    }
    let copy = decoded(path, &unreserved());
    if has_dots(&copy) {
        return Some(without_dots(&merged(&copy)));
    }
    let mut path = path.to_owned();
    while path.starts_with("//") {
        path.remove(0);
    }
    Some(path)
}

/// A reader's treatment of encoded slashes.
#[derive(Clone, Copy, PartialEq)]
enum Slash {
    Kept,
    Before,
    After,
}

/// Returns a reading of F. `None` if it has a dot segment.
fn reading(path: &str, slash: Slash, cut_marks: bool) -> Option<String> {
    let mut text = decoded(&upper_escapes(path)?, &readable());
    if cut_marks {
        for mark in ["%3F", "%23"] {
            text = text.split(mark).next().unwrap().to_owned();
        }
        text = text.replace("%3B", ";");
    }
    let slashes = |text: &str| text.replace("%2F", "/").replace("%5C", "/");
    if slash == Slash::Before {
        text = slashes(&text);
    }
    let bare: Vec<&str> = text
        .split('/')
        .map(|segment| segment.split(';').next().unwrap())
        .collect();
    text = bare.join("/");
    if slash == Slash::After {
        text = slashes(&text);
    }
    let text = merged(&text);
    (!has_dots(&text)).then_some(text)
}

pub(super) fn readings(path: &str) -> impl Iterator<Item = Option<String>> {
    let slashes = [Slash::Kept, Slash::Before, Slash::After];
    let ways = slashes.map(|slash| [false, true].map(|cut| (slash, cut)));
    let ways = ways.into_iter().flatten();
    ways.map(move |(slash, cut)| reading(path, slash, cut))
}

/// Returns the longest route that matches a reading by whole segments.
fn longest<'a>(routes: &'a [String], reading: &str) -> Option<&'a String> {
    let slashed = format!("{}/", reading.trim_end_matches('/'));
    let takes = |route: &&String| slashed.starts_with(&format!("{}/", route.trim_end_matches('/')));
    routes.iter().filter(takes).max_by_key(|route| route.len())
}

/// Returns the forwarded path and the selected route; `None`: 400.
fn verdict<'a>(routes: &'a [String], path: &str) -> Option<(String, Option<&'a String>)> {
    let goes = forwarded(path)?;
    let mut selected = Vec::new();
    for reading in readings(&goes) {
        selected.push(longest(routes, &reading?));
    }
    selected.dedup();
    match selected[..] {
        [one] => Some((goes, one)),
        _ => None,
    }
}

pub(super) fn paths() -> impl Strategy<Value = String> {
    let pieces = [
        "/", "/", "/", "/", ".", "..", "a", "a", "b", "A", "!", ";", ";x=1", "%2f", "%2F", "%2F",
        "%2e", "%2E", "%252e", "%252f", "%5c", "%5C", "%3b", "%3B", "%3f", "%3F", "%23", "%61",
        "%41", "%21", "%7e", "~", "%c3%a9", "%C3%A9", "%20", "%25", "%00", "%", "%4", "\\", " ",
        "é", "#",
    ];
    let good = pieces.len() - 6;
    let piece = prop_oneof![
        60 => prop::sample::select(pieces[..good].to_vec()),
        1 => prop::sample::select(pieces[good..].to_vec()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()))
}

fn routes() -> impl Strategy<Value = Vec<String>> {
    let route = "/|(/(a|b|A|!|%21|%61|~|aa|%C3%A9|%c3%a9|%20)){1,4}/?";
    prop::collection::vec(route, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_reading_of_what_is_forwarded_finds_another_route(routes in routes(), path in paths()) {
        let mut normal: Vec<String> = routes
            .iter()
            .map(|route| normalise_route_path(route).unwrap().into_owned())
            .collect();
        normal.sort();
        normal.dedup();
        for (route, kept) in routes.iter().map(|route| (route, normalise_route_path(route).unwrap())) {
            let read = reading(route, Slash::Kept, false).unwrap();
            let bare = read.strip_suffix('/').filter(|bare| !bare.is_empty()).unwrap_or(&read);
            prop_assert_eq!(kept, bare, "{}", route);
        }
        let index: PathIndex<String> = normal.iter().map(|route| (route.as_str().into(), None, route.clone())).collect();
        let ours = RequestPath::parse(&path).and_then(|read| {
            let selected = index.select(&read, &PlainGet)?;
            Ok((read.forwarded().to_owned(), selected))
        });
        let slow = verdict(&normal, &path);
        prop_assert_eq!(ours.clone().ok(), slow, "{} {:?} {:?}", path, ours, normal);
    }

    #[test]
    fn what_holds_no_dot_segment_is_forwarded_byte_for_byte(path in paths()) {
        let Ok(read) = RequestPath::parse(&path) else { return Ok(()) };
        if !has_dots(&decoded(&path, &unreserved())) {
            let slashes = path.len() - path.trim_start_matches('/').len();
            prop_assert_eq!(read.forwarded(), &path[slashes - 1..]);
        }
    }

    #[test]
    fn what_is_forwarded_is_forwarded_again_as_it_is(path in paths()) {
        if let Ok(read) = RequestPath::parse(&path) {
            let again = RequestPath::parse(read.forwarded());
            prop_assert_eq!(again.as_ref().map(|again| again.as_written()), Ok(Some(read.forwarded())));
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        if let Ok(read) = RequestPath::parse(&format!("/{text}")) {
            let _ = read.select(|_| Some(()));
        }
        let _ = normalise_route_path(&text);
    }
}
