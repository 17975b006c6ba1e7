//! Heads of messages, parsed only for what the benchmark needs: their end, the length of the body, and whether the connection persists.
//!
//! Strict where a mistake of a proxy would go unnoticed: an answer without a plain length is a failure.

/// The parsed fields of a head.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Head {
    /// The length of the head including its empty line.
    pub length: usize,
    /// The length of the body; `None` if no field specifies it.
    pub body: Option<usize>,
    /// Whether the connection closes after this message.
    pub closes: bool,
}

/// Parses a head. Returns `None` while it is incomplete.
///
/// # Errors
/// The first defect of the head.
pub fn read(bytes: &[u8]) -> Result<Option<Head>, &'static str> {
    let mut head = Head::default();
    let mut at = next_line(bytes, 0);
    while let Some(start) = at {
        let Some(end) = next_line(bytes, start) else {
            return Ok(None);
        };
        let line = &bytes[start..end - 2];
        if line.is_empty() {
            head.length = end;
            return Ok(Some(head));
        }
        field(&mut head, line)?;
        at = Some(end);
    }
    Ok(None)
}

/// Returns the status of an answer, or `None` while its start is incomplete.
pub fn status(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Reports whether the request asks for the large answer.
pub fn wants_large(bytes: &[u8]) -> bool {
    bytes.starts_with(b"GET /large")
}

/// Returns the position after the next line end. A bare LF is no line end.
fn next_line(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')?;
        if at > from && bytes[at - 1] == b'\r' {
            return Some(at + 1);
        }
        at += 1;
    }
}

fn field(head: &mut Head, line: &[u8]) -> Result<(), &'static str> {
    // The length of the name is checked first, so most fields are skipped without a comparison.
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Err("field without a colon");
    };
    let value = line[colon + 1..].trim_ascii();
    match colon {
        10 if is(line, b"connection:") => head.closes |= value.eq_ignore_ascii_case(b"close"),
        14 if is(line, b"content-length:") => {
            let text = std::str::from_utf8(value).map_err(|_| "Content-Length is not text")?;
            let length = text.parse().map_err(|_| "Content-Length is not a number")?;
            if head.body.replace(length).is_some() {
                return Err("duplicate Content-Length");
            }
        }
        17 if is(line, b"transfer-encoding:") => return Err("chunked body"),
        _ => {}
    }
    Ok(())
}

fn is(line: &[u8], name: &[u8]) -> bool {
    line[..name.len()].eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 12\r\n\r\nrest";
        let whole = text.len() - 4;
        for end in 0..whole {
            assert_eq!(read(&text[..end]), Ok(None), "{end}");
        }
        let head = Head {
            length: whole,
            body: Some(12),
            closes: false,
        };
        assert_eq!(read(text), Ok(Some(head)));
        assert_eq!(status(text), Some(200));
    }

    #[test]
    fn a_connection_that_ends_is_noticed() {
        let head = read(b"GET / HTTP/1.1\r\nConnection: Close\r\n\r\n").unwrap();
        assert!(head.unwrap().closes);
        let head = read(b"GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n").unwrap();
        assert!(!head.unwrap().closes);
    }

    #[test]
    fn what_cannot_be_measured_is_an_error() {
        let wrong = [
            "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nnothing\r\n\r\n",
        ];
        for text in wrong {
            assert!(read(text.as_bytes()).is_err(), "{text:?}");
        }
        assert_eq!(status(b"HTTP/1.0 200 OK"), None);
        assert_eq!(status(b"HTTP/1.1 2"), None);
    }
}
