//! The first bytes where a request should begin.

use crate::core::request::http1::{RequestRefusal, octets};

/// What the first byte of a TLS record is that opens a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 0x16;

/// What stands where a request should begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Opening {
    /// Nothing of a request: no byte, or empty lines only, which are passed over (RFC 9112 section 2.2).
    Nothing {
        /// The end of the last empty line is still to come.
        half_line: bool,
    },
    /// A request.
    Request,
}

/// Looks at the bytes that have come.
///
/// # Errors
/// The first byte of a request cannot begin a method, so nothing that follows it makes it one.
pub fn look(bytes: &[u8]) -> Result<Opening, RequestRefusal> {
    let Some(first) = bytes.iter().find(|byte| !matches!(byte, b'\r' | b'\n')) else {
        let half_line = bytes.last() == Some(&b'\r');
        return Ok(Opening::Nothing { half_line });
    };
    if *first == HANDSHAKE {
        Err(RequestRefusal::TlsOnPlainPort)
    } else if octets::is_token(&[*first]) && !first.is_ascii_lowercase() {
        Ok(Opening::Request)
    } else {
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
