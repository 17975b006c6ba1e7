//! Percent-encoding (RFC 3986 section 2.1).

/// Appends a text with its escapes decoded, once. `None` if one is malformed.
pub(crate) fn decode(text: &str, out: &mut Vec<u8>) -> Option<()> {
    // RFC 3986 section 2.4: a text is decoded only once.
    let mut parts = text.split('%');
    out.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        out.push(byte);
        out.extend_from_slice(rest.as_bytes());
    }
    Some(())
}
