//! The rules about header fields.

use crate::core::edits;

use super::{MAX_FIELDS, RequestLine, Unfit, unfit};

/// Fields of which a request has at most one: with two, whoever reads the first and whoever reads the last disagree.
const SINGLETONS: [&[u8]; 4] = [b"authorization", b"content-type", b"origin", b"x-api-key"];

/// Most fields that one request may nominate in `Connection`.
const MAX_NOMINATIONS: usize = 9;

/// What was seen of the fields so far.
#[derive(Default)]
pub(super) struct Fields<'a> {
    count: usize,
    host: Option<&'a [u8]>,
    content_length: bool,
    transfer_encoding: bool,
    nominations: usize,
    singletons: [bool; SINGLETONS.len()],
}

impl<'a> Fields<'a> {
    pub(super) fn read(&mut self, line: &'a [u8]) -> Result<(), Unfit> {
        self.count += 1;
        if self.count > MAX_FIELDS {
            return Err(unfit(431, "there are more than 100 header fields"));
        }
        let colon = line
            .iter()
            .position(|byte| *byte == b':')
            .ok_or(unfit(400, "a header field has no colon"))?;
        let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
            return Err(unfit(400, "a header name is not a token"));
        }
        if value.iter().any(|byte| is_control(*byte)) {
            return Err(unfit(400, "a header value holds a control byte"));
        }
        self.note(name, value)
    }

    fn note(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), Unfit> {
        if name.eq_ignore_ascii_case(b"host") {
            if self.host.replace(value).is_some() {
                return Err(unfit(400, "Host is repeated"));
            }
        } else if name.eq_ignore_ascii_case(b"content-length") {
            if std::mem::replace(&mut self.content_length, true) {
                return Err(unfit(400, "Content-Length is repeated"));
            }
            if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
                return Err(unfit(400, "Content-Length is not one number"));
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if std::mem::replace(&mut self.transfer_encoding, true) {
                return Err(unfit(400, "Transfer-Encoding is repeated"));
            }
            check_codings(value)?;
        } else if name.eq_ignore_ascii_case(b"connection") {
            self.nominate(value)?;
        } else if let Some(at) = SINGLETONS
            .iter()
            .position(|known| name.eq_ignore_ascii_case(known))
            && std::mem::replace(&mut self.singletons[at], true)
        {
            return Err(unfit(400, "a field that stands once is repeated"));
        }
        Ok(())
    }

    fn nominate(&mut self, value: &[u8]) -> Result<(), Unfit> {
        for nominated in value.split(|byte| *byte == b',').map(trim) {
            if nominated.is_empty() {
                continue;
            }
            self.nominations += 1;
            if self.nominations > MAX_NOMINATIONS || !nominated.iter().all(|b| is_token(*b)) {
                return Err(unfit(400, "Connection is not a short list of names"));
            }
        }
        // Names of tokens are text.
        let text = std::str::from_utf8(value).unwrap_or_default();
        edits::check_nomination([text])
            .map_err(|_| unfit(400, "Connection names a field that is not the client's"))
    }

    /// The rules that need the whole head.
    pub(super) fn check(&self, request: &RequestLine<'_>) -> Result<(), Unfit> {
        if self.transfer_encoding && self.content_length {
            let reason = "Content-Length and Transfer-Encoding stand together";
            return Err(unfit(400, reason));
        }
        if self.transfer_encoding && request.http_10 {
            return Err(unfit(400, "HTTP/1.0 has no Transfer-Encoding"));
        }
        let host = self.host.ok_or(unfit(400, "Host is missing"))?;
        if !is_host(host) {
            return Err(unfit(400, "Host is not a name and perhaps a port"));
        }
        match request.authority {
            Some(authority) if !authority.eq_ignore_ascii_case(host) => {
                Err(unfit(400, "the target and Host name different hosts"))
            }
            _ => Ok(()),
        }
    }
}

/// Exactly one coding, and that one `chunked`.
fn check_codings(value: &[u8]) -> Result<(), Unfit> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let unknown = value
        .split(|byte| *byte == b',')
        .map(trim)
        .any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"chunked"));
    if unknown
        && value
            .iter()
            .all(|byte| is_token(*byte) || matches!(byte, b',' | b' '))
    {
        return Err(unfit(501, "only the transfer coding chunked is served"));
    }
    Err(unfit(400, "Transfer-Encoding is not exactly chunked"))
}

/// A name, an IPv4 address or a bracketed IPv6 address, and perhaps a port.
fn is_host(host: &[u8]) -> bool {
    let (name, port) = match host.strip_prefix(b"[") {
        Some(rest) => match rest.iter().position(|byte| *byte == b']') {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => return false,
        },
        None => {
            let end = host.iter().position(|byte| *byte == b':');
            host.split_at(end.unwrap_or(host.len()))
        }
    };
    let named = if host.starts_with(b"[") {
        name.iter()
            .all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'))
    } else {
        name.iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
    };
    !name.is_empty() && named && is_port(port)
}

fn is_port(port: &[u8]) -> bool {
    let Some(digits) = port.strip_prefix(b":") else {
        return port.is_empty();
    };
    let number = std::str::from_utf8(digits)
        .ok()
        .and_then(|text| text.parse::<u16>().ok());
    digits.iter().all(u8::is_ascii_digit) && number.is_some_and(|number| number > 0)
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_control(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}
