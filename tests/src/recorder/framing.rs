//! Request framing of the recorder: accepts only what RFC 9112 allows a sender to generate.

/// The framing of a request body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RequestFraming {
    /// This many bytes follow the head.
    Length(usize),
    /// Chunks follow the head.
    Chunked,
}

impl RequestFraming {
    /// Determines the framing from a head, including its empty line.
    ///
    /// # Errors
    /// If the head is malformed or its framing ambiguous.
    pub(super) fn of(head: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(head).map_or_else(|_| latin(head), str::to_owned);
        let mut lines = text.trim_end_matches("\r\n").split("\r\n");
        let line = lines.next().unwrap_or_default();
        let parts: Vec<_> = line.split(' ').collect();
        if parts.len() != 3 || parts[2] != "HTTP/1.1" || parts[0].is_empty() {
            return Err(format!("not a request line: {line:?}"));
        }
        let (mut lengths, mut codings) = (Vec::new(), Vec::new());
        for line in lines {
            let (name, value) = field(line)?;
            match name.to_ascii_lowercase().as_str() {
                "content-length" => lengths.push(value),
                "transfer-encoding" => codings.push(value),
                _ => {}
            }
        }
        match (lengths.as_slice(), codings.as_slice()) {
            ([], []) => Ok(Self::Length(0)),
            ([length], []) if length.bytes().all(|byte| byte.is_ascii_digit()) => length
                .parse()
                .map(Self::Length)
                .map_err(|_| format!("not a length: {length:?}")),
            ([], ["chunked"]) => Ok(Self::Chunked),
            _ => Err(format!("framed by {lengths:?} and {codings:?}")),
        }
    }
}

/// Decodes every byte as one Latin-1 character.
fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn field(line: &str) -> Result<(&str, &str), String> {
    let wrong = || format!("not a field: {line:?}");
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let visible = |letter: char| letter == '\t' || !letter.is_ascii_control();
    if name.is_empty() || !name.bytes().all(token) || !value.chars().all(visible) {
        return Err(wrong());
    }
    Ok((name, value.trim_matches([' ', '\t'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_framed_only_where_there_is_no_doubt() {
        let of =
            |fields: &str| RequestFraming::of(format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes());
        assert_eq!(of("Host: a\r\n"), Ok(RequestFraming::Length(0)));
        assert_eq!(
            of("content-length: 12\r\nX: \u{e9}\r\n"),
            Ok(RequestFraming::Length(12))
        );
        assert_eq!(
            of("Transfer-Encoding: chunked\r\n"),
            Ok(RequestFraming::Chunked)
        );
        for fields in [
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: +3\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "X-A : b\r\n",
            " folded: b\r\n",
            "X-A: \u{0}\r\n",
        ] {
            assert!(of(fields).is_err(), "{fields:?}");
        }
        assert!(RequestFraming::of(b"GET  / HTTP/1.1\r\n\r\n").is_err());
        assert!(RequestFraming::of(b"GET / HTTP/1.0\r\n\r\n").is_err());
    }
}
