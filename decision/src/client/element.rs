//! The elements of `Forwarded` (RFC 7239).

use crate::octets::{is_token, trim};

/// The parameters of one element that matter here. Parameters of other names are passed on and not read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Element<'a> {
    /// `for`: the address of a hop, `unknown`, or a name of its own. Without the quotes around it.
    pub node: Option<&'a [u8]>,
    /// `proto`: the scheme in which that hop sent the request.
    pub proto: Option<&'a [u8]>,
}

impl<'a> Element<'a> {
    /// Parses one element. `None` if it is malformed.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let mut element = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let end = pair_end(rest)?;
            let pair = trim(&rest[..end]);
            rest = rest.get(end + 1..).unwrap_or_default();
            if pair.is_empty() {
                continue;
            }
            let (name, value) = split(pair)?;
            // RFC 7239 section 4: the name of a parameter is matched in any case.
            let kept = match name {
                _ if name.eq_ignore_ascii_case(b"for") => &mut element.node,
                _ if name.eq_ignore_ascii_case(b"proto") => &mut element.proto,
                _ => continue,
            };
            // RFC 7239 section 4: a parameter occurs at most once in an element.
            if kept.replace(value).is_some() {
                return None;
            }
        }
        Some(element)
    }
}

/// Returns the offset of the semicolon behind the first parameter, or the length of the text if there is none. `None` if a quote is open.
fn pair_end(text: &[u8]) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => return Some(at),
            _ => {}
        }
    }
    (!quoted).then_some(text.len())
}

/// Returns the name and the value of a parameter, the latter without quotes.
fn split(pair: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (&pair[..equals], &pair[equals + 1..]);
    // RFC 7239 section 4: a value is a token or a quoted string; an address with colons in it is accepted without quotes too.
    let value = match value {
        [b'"', inner @ .., b'"'] => inner,
        plain if plain.is_empty() || plain.contains(&b'"') => return None,
        plain => plain,
    };
    is_token(name).then_some((name, value))
}

/// Returns the offset of the comma before the last element. Quotes are paired from the right, so that a quote that a client leaves open
/// further left hides nothing of what a proxy appended.
pub(super) fn last_comma(value: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, byte) in value.iter().enumerate().rev() {
        match byte {
            b'"' if !is_escaped(&value[..at]) => quoted = !quoted,
            b',' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// Returns whether the byte behind this text is escaped: whether an odd number of backslashes precedes it.
fn is_escaped(before: &[u8]) -> bool {
    let slashes = before.iter().rev().take_while(|byte| **byte == b'\\');
    slashes.count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_names_a_hop_and_its_scheme_in_any_case_and_order() {
        for (text, node, proto) in [
            ("for=192.0.2.1", Some("192.0.2.1"), None),
            (
                "Proto=https; FOR=\"[::1]:80\";by=_x",
                Some("[::1]:80"),
                Some("https"),
            ),
            ("for=192.0.2.1:80;;", Some("192.0.2.1:80"), None),
            ("host=\"a;for=b\\\";c\"; for=unknown", Some("unknown"), None),
            ("by=a", None, None),
        ] {
            let element = Element::parse(text.as_bytes()).unwrap();
            assert_eq!(element.node, node.map(str::as_bytes), "{text}");
            assert_eq!(element.proto, proto.map(str::as_bytes), "{text}");
        }
        for text in [
            "for=\"192.0.2.1",
            "for=1;for=2",
            "for",
            "for=",
            "=1",
            "f r=1",
            "for=a\"b\"",
        ] {
            assert_eq!(Element::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_last_element_begins_behind_the_last_comma_outside_quotes() {
        for (text, last) in [
            ("for=a", None),
            ("for=a, for=b", Some(" for=b")),
            ("for=a,host=\"b,c\"", Some("host=\"b,c\"")),
            ("for=a,host=\"b\\\",c\"", Some("host=\"b\\\",c\"")),
            ("for=\"a, for=b", Some(" for=b")),
            ("for=\"a\\\\\", for=b", Some(" for=b")),
            ("host=\"a,b\"", None),
        ] {
            let found = last_comma(text.as_bytes()).map(|comma| &text[comma + 1..]);
            assert_eq!(found, last, "{text}");
        }
    }
}
