//! Parameters of a query.
//!
//! Parameters are separated by `&`, names from values by the first `=`; both are decoded once, as forms are: `+` is a space, and a `%`
//! without two hexadecimal digits stands for itself. Of several parameters with one name, only the first counts.

use super::path::unescape;

/// Reports whether the first parameter of this name has this value.
pub(super) fn first_is(query: &str, name: &str, value: &str) -> bool {
    let mut parameters = query
        .split('&')
        .map(|one| one.split_once('=').unwrap_or((one, "")));
    let first = parameters.find(|(key, _)| is(key, name));
    first.is_some_and(|(_, written)| is(written, value))
}

/// Reports whether a text decodes to `expected`. Does not allocate.
fn is(written: &str, expected: &str) -> bool {
    let mut rest = written.as_bytes();
    let decoded = std::iter::from_fn(|| {
        let (byte, after) = next(rest)?;
        rest = after;
        Some(byte)
    });
    decoded.eq(expected.bytes())
}

/// Returns the first decoded byte, and the text after it.
fn next(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'%', high, low, after @ ..] => match unescape(*high, *low) {
            Some(byte) => Some((byte, after)),
            None => Some((b'%', &text[1..])),
        },
        [b'+', after @ ..] => Some((b' ', after)),
        [byte, after @ ..] => Some((*byte, after)),
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_parameter_of_a_name_is_compared_decoded_once() {
        for (query, name, value, expected) in [
            ("a=1", "a", "1", true),
            ("a=2&a=1", "a", "1", false),
            ("a=1&a=2", "a", "1", true),
            ("b=1&a=1", "a", "1", true),
            ("ab=1", "a", "1", false),
            ("a", "a", "", true),
            ("a=", "a", "", true),
            ("", "a", "", false),
            ("a=b=c", "a", "b=c", true),
            ("a%20b=x+y", "a b", "x y", true),
            ("a=%2541", "a", "%41", true),
            ("a=%41", "a", "A", true),
            ("a=%4", "a", "%4", true),
            ("a=%zz%e2%82%ac", "a", "%zz€", true),
            ("A=1", "a", "1", false),
            ("a=1;b=2", "b", "2", false),
        ] {
            assert_eq!(first_is(query, name, value), expected, "{query}");
        }
    }
}
