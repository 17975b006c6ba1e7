//! The first bytes at the start of a request.

use crate::core::request::http1::RequestRefusal;
use aralez_decision::octets;

/// First byte of a TLS record that opens a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 0x16;

/// The kind of bytes found at the start of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// No request yet: no byte, or only empty lines, which are skipped (RFC 9112 section 2.2).
    Nothing {
        /// Set if the last empty line lacks its LF.
        half_line: bool,
    },
    /// A request.
    Request,
}

/// Classifies the bytes that have arrived.
///
/// # Errors
/// The first byte cannot begin a method, so no bytes that follow can make it a request.
pub fn look(bytes: &[u8]) -> Result<Opening, RequestRefusal> {
    // RFC 9112 section 2.2: a server ignores empty lines before a request.
    let Some(first) = bytes.iter().find(|byte| !matches!(byte, b'\r' | b'\n')) else {
        let half_line = bytes.last() == Some(&b'\r');
        return Ok(Opening::Nothing { half_line });
    };
    if *first == HANDSHAKE {
        Err(RequestRefusal::TlsOnPlainPort)
    } else if octets::is_token(&[*first]) && !first.is_ascii_lowercase() {
        Ok(Opening::Request)
    } else {
        // RFC 9112 section 2.2: a request that does not match the grammar is refused, and its connection closes.
        Err(RequestRefusal::Method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_lines_are_nothing_of_a_request() {
        for (bytes, half_line) in [(&b""[..], false), (b"\r\n", false), (b"\r\n\r\n\r", true)] {
            assert_eq!(look(bytes), Ok(Opening::Nothing { half_line }), "{bytes:?}");
        }
        assert_eq!(look(b"\r\nG"), Ok(Opening::Request));
    }

    #[test]
    fn a_byte_that_begins_no_method_is_refused_and_every_other_one_is_not() {
        for byte in 0..=u8::MAX {
            let begins = byte.is_ascii_uppercase()
                || byte.is_ascii_digit()
                || b"!#$%&'*+-.^_`|~".contains(&byte);
            let ends_a_line = matches!(byte, b'\r' | b'\n');
            assert_eq!(look(&[byte]).is_ok(), begins || ends_a_line, "{byte:#x}");
        }
        assert_eq!(look(b"\x16\x03\x01"), Err(RequestRefusal::TlsOnPlainPort));
    }
}
