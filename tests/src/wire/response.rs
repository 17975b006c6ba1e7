//! One response, parsed strictly: anything that a careful sender would not write is an error.

/// A parsed response.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status line, without its line terminator.
    pub line: String,
    /// The status code.
    pub status: u16,
    /// The header fields in order: names as sent, values without surrounding whitespace.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body received so far, without framing.
    pub body: Vec<u8>,
    /// The lines of the trailer section.
    pub trailers: Vec<u8>,
    /// The end of the response.
    pub end: End,
}

/// The way in which a response ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It is complete.
    Whole,
    /// The connection was closed before it was complete.
    Truncated,
    /// The connection was reset before it was complete.
    Reset,
}

/// The rule that determines the end of a body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    Length(usize),
    Chunked,
    UntilClose,
}

impl Response {
    /// Parses a head, including the empty line.
    ///
    /// # Errors
    /// A violation of the rules for senders.
    pub fn read_head(head: &[u8]) -> Result<Self, String> {
        let mut lines = head.split_inclusive(|byte| *byte == b'\n');
        let line = text(lines.next().unwrap_or_default())?;
        let mut headers = Vec::new();
        for line in lines {
            if line != b"\r\n" {
                headers.push(field(line)?);
            }
        }
        Ok(Self {
            status: status(&line)?,
            line,
            headers,
            body: Vec::new(),
            trailers: Vec::new(),
            end: End::Whole,
        })
    }

    /// Returns the values of all headers called `name`, in any case.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(named)
            .map(|(_, value)| value.as_str())
    }

    /// Returns the value of the first header called `name`, in any case. `None` if there is none.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        let header = self.headers.iter().find(named);
        header.map(|(_, value)| value.as_str())
    }

    /// Returns the body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the body as JSON.
    ///
    /// # Panics
    /// If it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    /// Returns whether it announces the close of the connection.
    pub fn closes(&self) -> bool {
        let options = self
            .headers("connection")
            .flat_map(|value| value.split(','));
        options
            .map(str::trim)
            .any(|option| option.eq_ignore_ascii_case("close"))
    }

    pub(super) fn framing(&self, to_head: bool) -> Result<Framing, String> {
        let lengths: Vec<_> = self.headers("content-length").collect();
        let codings: Vec<_> = self.headers("transfer-encoding").collect();
        let never = matches!(self.status, 100..200 | 204);
        let doubt = || format!("{} is framed by {lengths:?} and {codings:?}", self.line);
        let framing = match (lengths.as_slice(), codings.as_slice()) {
            ([], []) if never => Framing::Length(0),
            _ if never => return Err(doubt()),
            ([length], []) => Framing::Length(decimal(length).ok_or_else(doubt)?),
            ([], ["chunked"]) => Framing::Chunked,
            ([], []) if to_head || self.status == 304 || self.closes() => Framing::UntilClose,
            _ => return Err(doubt()),
        };
        Ok(if to_head || self.status == 304 {
            Framing::Length(0)
        } else {
            framing
        })
    }
}

/// Parses a decimal number as senders write it: digits without leading zeros.
fn decimal(text: &str) -> Option<usize> {
    let usual = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (usual && digits).then(|| text.parse().ok()).flatten()
}

/// Returns a line without its CRLF.
fn text(line: &[u8]) -> Result<String, String> {
    let wrong = || {
        format!(
            "a line ends in LF alone or holds a control byte: {}",
            super::shown(line)
        )
    };
    let line = line.strip_suffix(b"\r\n").ok_or_else(wrong)?;
    if line
        .iter()
        .any(|byte| byte.is_ascii_control() && *byte != b'\t')
    {
        return Err(wrong());
    }
    // Map every byte to one character, so that no byte is lost.
    Ok(line.iter().map(|byte| char::from(*byte)).collect())
}

fn status(line: &str) -> Result<u16, String> {
    let code = line
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.split_once(' '));
    let digits = code
        .map(|(digits, _)| digits)
        .filter(|digits| digits.len() == 3);
    let status = digits.and_then(|digits| digits.parse().ok());
    status.ok_or_else(|| format!("not a status line: {line:?}"))
}

/// Parses a field line.
///
/// # Errors
/// A violation of the rules for senders.
pub(super) fn field(line: &[u8]) -> Result<(String, String), String> {
    let line = text(line)?;
    let wrong = || format!("not a field: {line:?}");
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(wrong());
    }
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

/// Parses the line with a chunk's size.
///
/// # Errors
/// A form that a careful sender would not write.
pub(super) fn chunk_size(line: &[u8]) -> Result<usize, String> {
    let wrong = || format!("not a chunk's size: {}", super::shown(line));
    let digits = line.strip_suffix(b"\r\n").ok_or_else(wrong)?;
    let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
    let usual = digits == "0" || !digits.starts_with('0');
    let hexadecimal = !digits.is_empty()
        && digits
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !usual || !hexadecimal {
        return Err(wrong());
    }
    usize::from_str_radix(digits, 16).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(head: &str) -> Result<Framing, String> {
        Response::read_head(format!("{head}\r\n").as_bytes())?.framing(false)
    }

    #[test]
    fn an_answer_is_framed_in_one_way_or_it_is_wrong() {
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n"),
            Ok(Framing::Length(3))
        );
        assert_eq!(
            framing("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n"),
            Ok(Framing::Chunked)
        );
        assert_eq!(
            framing("HTTP/1.1 200 OK\r\nconnection: close\r\n"),
            Ok(Framing::UntilClose)
        );
        assert_eq!(
            framing("HTTP/1.1 204 No Content\r\n"),
            Ok(Framing::Length(0))
        );
        for head in [
            "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 3\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 03\r\n",
            "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n",
            "HTTP/1.0 200 OK\r\ncontent-length: 3\r\n",
            "HTTP/1.1 200\r\ncontent-length: 3\r\n",
            "HTTP/1.1 200 OK\ncontent-length: 3\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length : 3\r\n",
        ] {
            assert!(framing(head).is_err(), "{head:?}");
        }
    }

    #[test]
    fn a_chunk_is_written_in_one_way() {
        assert_eq!(chunk_size(b"1f\r\n"), Ok(31));
        for line in [
            "1F\r\n", "01\r\n", "1;a\r\n", "1 \r\n", "\r\n", "1\n", "-1\r\n",
        ] {
            assert!(chunk_size(line.as_bytes()).is_err(), "{line:?}");
        }
    }
}
