//! Escapes: the byte that two hexadecimal digits encode, and which escapes are read as that byte.

/// Decodes two hexadecimal digits. `None` if they are not hexadecimal.
pub(in crate::matcher) fn unescape(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Reports whether a byte is unreserved, so that all readers treat it the same escaped or not.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    // RFC 3986 section 2.3: letters, digits, hyphen, dot, underscore and tilde mean the same escaped and unescaped.
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Reports whether an escape is read as its character: every printable one except separators, and except `%`, which would be decoded twice.
pub(super) const fn is_decoded(byte: u8) -> bool {
    // RFC 3986 section 2.4: a text is decoded only once.
    byte.is_ascii_graphic() && !matches!(byte, b'/' | b'\\' | b';' | b'?' | b'#' | b'%')
}
