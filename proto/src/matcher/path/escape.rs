//! Escapes: what two hexadecimal digits stand for, and which of them are read as that.

/// The byte behind two hexadecimal digits.
pub(super) fn unescape(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// RFC 3986 section 2.3: escaped or not, these are the same to everybody.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Whether an escape is read as the character it stands for: every printable one but those that separate, and `%`, which would be decoded
/// twice.
pub(super) const fn is_decoded(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'/' | b'\\' | b';' | b'?' | b'#' | b'%')
}
