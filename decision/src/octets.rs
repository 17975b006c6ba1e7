//! Byte classes of header fields and targets, and parsers for lists and numbers.

const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const TARGET: u8 = 4;
const TAKEN: u8 = 8;

/// The classes of each byte, indexed by the byte.
const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let octet = byte as u8;
        if octet.is_ascii_alphanumeric()
            || matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
        {
            table[byte] |= TOKEN;
        }
        if octet == b'\t' || (octet >= b' ' && octet != 0x7f) {
            table[byte] |= VALUE;
        }
        if octet.is_ascii_graphic() && octet != b'#' {
            table[byte] |= TARGET;
        }
        if !matches!(octet, 0 | b'\r' | b'\n') {
            table[byte] |= TAKEN;
        }
        byte += 1;
    }
    table
}

#[inline]
fn all(bytes: &[u8], class: u8) -> bool {
    bytes
        .iter()
        .all(|byte| CLASSES[usize::from(*byte)] & class != 0)
}

/// Reports whether all bytes are of the class, eight at a time: most values are long, and `suspect` finds no byte in most words of them. A
/// word in which it finds one is examined byte by byte, as is what is shorter than a word.
#[inline]
fn all_by_words(bytes: &[u8], class: u8, suspect: impl Fn(u64) -> bool) -> bool {
    let (words, rest) = bytes.as_chunks::<WORD>();
    // The last word of a longer value overlaps the one before.
    let last = bytes.last_chunk::<WORD>();
    let (last, rest) = last.map_or((None, rest), |last| (Some(last), &[][..]));
    let passes =
        |word: &[u8; WORD]| !suspect(u64::from_le_bytes(*word)) || all(word.as_slice(), class);
    words.iter().chain(last).all(passes) && all(rest, class)
}

/// Number of bytes that are examined at once.
const WORD: usize = 8;

/// Reports whether a byte of the word is less than `bound`, which is at most 128.
#[inline]
const fn any_below(word: u64, bound: u8) -> bool {
    let (each, high) = (u64::MAX / 255, u64::MAX / 255 * 128);
    // A byte below the bound borrows, which sets its highest bit.
    word.wrapping_sub(each * bound as u64) & !word & high != 0
}

/// Reports whether a byte of the word is this one.
#[inline]
const fn any_is(word: u64, byte: u8) -> bool {
    any_below(word ^ (u64::MAX / 255 * byte as u64), 1)
}

/// Reports whether this is a token (RFC 9110 section 5.6.2): one or more token characters and nothing else.
#[inline]
pub fn is_token(bytes: &[u8]) -> bool {
    // RFC 9110 section 5.6.2: a token is one or more letters, digits and certain marks, without separators.
    !bytes.is_empty() && all(bytes, TOKEN)
}

/// Reports whether this is a field value (RFC 9110 section 5.5): visible characters, spaces, tabs, and bytes above ASCII.
#[inline]
pub fn is_value(bytes: &[u8]) -> bool {
    // RFC 9110 section 5.5: a field value consists of visible characters, spaces, tabs and bytes above ASCII.
    // RFC 9112 section 2.2: a CR without LF makes the message invalid.
    all_by_words(bytes, VALUE, |word| {
        any_below(word, b' ') || any_is(word, 0x7f)
    })
}

/// Reports whether this is accepted as a field value of an endpoint (RFC 9110 section 5.5): control bytes other than CR, LF and NUL are
/// invalid, but do not affect framing.
#[inline]
pub fn is_taken_value(bytes: &[u8]) -> bool {
    // RFC 9112 section 2.2: a CR without LF makes the message invalid.
    let suspect = |word| any_is(word, 0) || any_is(word, b'\r') || any_is(word, b'\n');
    all_by_words(bytes, TAKEN, suspect)
}

/// Reports whether this is a target: visible ASCII without `#` (RFC 9112 section 3.2, RFC 3986).
#[inline]
pub fn is_target(bytes: &[u8]) -> bool {
    // RFC 9112 section 3.2: a request target contains no whitespace and no byte that a URI must escape, and an invalid one is not
    // corrected.
    // RFC 9110 section 7.1: a request target has no fragment.
    all(bytes, TARGET)
}

/// Returns the bytes without surrounding spaces and tabs.
#[inline]
pub const fn trim(mut bytes: &[u8]) -> &[u8] {
    // RFC 9110 section 5.6.3: optional whitespace consists of spaces and tabs.
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Returns the members of a comma-separated list (RFC 9110 section 5.6.1), trimmed; empty members are skipped.
#[inline]
pub fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    // RFC 9110 section 5.6.1.2: a recipient ignores the empty members of a list.
    let members = value.split(|byte| *byte == b',').map(trim);
    members.filter(|member| !member.is_empty())
}

/// Parses a number that consists of decimal digits only. `None` if it is anything else or overflows `u64`.
#[inline]
pub fn decimal(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    // RFC 9110 section 8.6: a recipient prevents a large `Content-Length` from overflowing.
    bytes.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_values_and_targets_are_what_the_standards_say() {
        let tokens: Vec<u8> = (0..=255).filter(|byte| is_token(&[*byte])).collect();
        let expected: Vec<u8> = (0..=255_u8)
            .filter(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
            .collect();
        assert_eq!(tokens, expected);
        assert!(!is_token(b"") && is_value(b"") && is_value(b"a\t b\xff"));
        for byte in [0, b'\r', b'\n', 0x1b, 0x7f] {
            assert!(!is_value(&[byte]), "{byte}");
            assert_eq!(is_taken_value(&[byte]), byte == 0x1b || byte == 0x7f);
        }
        assert!(is_target(b"/a?b=%20") && !is_target(b"/a b") && !is_target(b"/\xe9#"));
    }

    #[test]
    fn a_byte_decides_about_a_value_wherever_it_is() {
        let (valid, taken) = (
            |byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f),
            |byte| !matches!(byte, 0 | b'\r' | b'\n'),
        );
        for length in 1..=33 {
            for (at, byte) in (0..length).flat_map(|at| (0..=255_u8).map(move |byte| (at, byte))) {
                let mut value = vec![b'a'; length];
                value[at] = byte;
                assert_eq!(is_value(&value), valid(byte), "{at} of {length}: {byte}");
                assert_eq!(
                    is_taken_value(&value),
                    taken(byte),
                    "{at} of {length}: {byte}"
                );
            }
        }
        // Bytes next to a suspect one do not hide it.
        assert!(
            !is_value(b"\xff\x7f\xff\xff\t\x20\xff\xff")
                && is_value(b"\t\t\xff\xff\t\x20\xff\x80\t")
        );
    }

    #[test]
    fn a_number_is_digits_alone_and_can_be_counted() {
        assert_eq!(decimal(b"0018"), Some(18));
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        for text in ["", "+1", "-1", "1 ", "0x1", "1,1", "18446744073709551616"] {
            assert_eq!(decimal(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_list_has_members_without_their_spaces() {
        let members: Vec<&[u8]> = list(b" a,\tb ,, c d").collect();
        assert_eq!(members, [&b"a"[..], b"b", b"c d"]);
    }
}
