//! The chunk size line.

use crate::core::request::http1::body::{BadBody, LONGEST_CHUNK_LINE, Sender};

/// Maximum number of hexadecimal digits of a size: more than any chunk needs, and too few to overflow.
///
/// RFC 9112 section 7.1: a recipient prevents a large chunk size from overflowing; stricter: a size of more than 15 digits is refused.
const MOST_DIGITS: usize = 15;

/// A parsed chunk size line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Chunk {
    /// Number of data bytes that follow; 0 for the last chunk.
    pub(super) size: u64,
    /// Length of the line, including its end.
    pub(super) line: usize,
}

impl Chunk {
    /// Reads `1*HEXDIG [ chunk-ext ] CRLF` (RFC 9112 section 7.1). `None` if the line is incomplete.
    pub(super) fn read(bytes: &[u8], sender: Sender) -> Result<Option<Self>, BadBody> {
        let window = &bytes[..bytes.len().min(LONGEST_CHUNK_LINE)];
        let Some(feed) = memchr::memchr(b'\n', window) else {
            // Refuse an incomplete line as soon as it is wrong, so that a peer cannot hold the connection until its deadline.
            check(window.strip_suffix(b"\r").unwrap_or(window), false)?;
            return if bytes.len() >= LONGEST_CHUNK_LINE {
                Err(BadBody::ChunkSize)
            } else {
                Ok(None)
            };
        };
        let text = match (window[..feed].strip_suffix(b"\r"), sender) {
            (Some(text), _) => text,
            // After an extension LF alone is refused: a reader that skips the extension up to CRLF would read on.
            // RFC 9112 section 2.2: a recipient may accept LF alone as the end of a line, as the proxy does from an endpoint.
            (None, Sender::Endpoint) if !window[..feed].contains(&b';') => &window[..feed],
            // RFC 9112 section 2.2: a line ends in CRLF; stricter: LF alone, which a recipient may accept, is refused from a client.
            (None, _) => return Err(BadBody::ChunkSize),
        };
        let text = match sender {
            Sender::Endpoint => trim_end(text),
            Sender::Client => text,
        };
        let digits = check(text, true)?;
        let size = digits.iter().fold(0_u64, |size, digit| {
            (size << 4) | u64::from((*digit as char).to_digit(16).unwrap_or_default())
        });
        Ok(Some(Self {
            size,
            line: feed + 1,
        }))
    }
}

/// Returns the text without trailing spaces and tabs.
const fn trim_end(mut text: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Returns the digits of a line. Extensions may hold any visible character, since they are not forwarded. Spaces are allowed only around an
/// extension's `;`.
fn check(text: &[u8], whole: bool) -> Result<&[u8], BadBody> {
    let end = text.iter().position(|byte| !byte.is_ascii_hexdigit());
    let (digits, rest) = text.split_at(end.unwrap_or(text.len()));
    // RFC 9112 section 7.1: a chunk begins with its size, in one or more hexadecimal digits.
    if digits.len() > MOST_DIGITS || (digits.is_empty() && (whole || !rest.is_empty())) {
        return Err(BadBody::ChunkSize);
    }
    let extension = aralez_decision::octets::trim(rest);
    // RFC 9112 section 7.1.1: a recipient ignores chunk extensions that it does not know; the proxy ignores and drops all of them.
    let visible = rest.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
    // RFC 9112 section 7.1.1: a chunk extension begins with a semicolon, before which whitespace is allowed.
    let announced = match extension.first() {
        Some(first) => *first == b';',
        // Spaces alone may precede an extension that has not arrived yet.
        None => rest.is_empty() || !whole,
    };
    if visible && announced && !(whole && is_quote_open(extension)) {
        Ok(digits)
    } else {
        Err(BadBody::ChunkSize)
    }
}

/// Reports whether a quoted value is not closed: a reader that searches for the closing quote would read past the line.
fn is_quote_open(extension: &[u8]) -> bool {
    // RFC 9110 section 5.6.4: a quoted string has a closing quote, and a backslash in it quotes the next byte.
    let mut open = false;
    let mut bytes = extension.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => open = !open,
            b'\\' if open => {
                bytes.next();
            }
            _ => {}
        }
    }
    open
}
