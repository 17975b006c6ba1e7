//! The strict gate for HTTP/1 heads: what two parsers could read differently is refused before anything decides on it.
//!
//! The engine is lenient where a request can still be repaired. A repaired request is one that an endpoint, a cache or a firewall behind
//! us may have read otherwise, so here it is refused. The rules read the bytes as they came: the engine's map of headers no longer
//! shows, for example, a `Content-Length` that stood beside a `Transfer-Encoding`.

mod fields;
#[cfg(test)]
mod tests;

use fields::Fields;

/// Largest head, request line and fields together, in bytes.
pub const MAX_HEAD: usize = 64 * 1024;
/// Most header fields of one request.
pub const MAX_FIELDS: usize = 100;
/// Longest request target, in bytes.
pub const MAX_TARGET: usize = 8 * 1024;

/// Why a head is refused. The connection is closed after the answer, because nobody knows where the next request would begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unfit {
    /// The status to answer.
    pub status: u16,
    /// What is wrong, in words that hold nothing of the request.
    pub reason: &'static str,
}

pub(crate) const fn unfit(status: u16, reason: &'static str) -> Unfit {
    Unfit { status, reason }
}

/// Checks the head of an HTTP/1 request as it came over the wire, up to and including the empty line.
///
/// # Errors
/// The status and the reason of the first rule that the head breaks.
pub fn check(head: &[u8]) -> Result<(), Unfit> {
    if head.len() > MAX_HEAD {
        return Err(unfit(431, "the head is larger than 64 KiB"));
    }
    let mut lines = Lines(skip_empty_lines(head));
    let line = lines
        .next()
        .ok_or(unfit(400, "the request line is missing"))??;
    let request = RequestLine::read(line)?;
    let mut fields = Fields::default();
    for line in lines {
        let line = line?;
        if line.is_empty() {
            break;
        }
        fields.read(line)?;
    }
    fields.check(&request)
}

/// Robust servers ignore empty lines before a request line (RFC 9112 section 2.2).
fn skip_empty_lines(mut head: &[u8]) -> &[u8] {
    while let Some(rest) = head.strip_prefix(b"\r\n") {
        head = rest;
    }
    head
}

/// The lines of a head; each ends with CRLF, and neither byte stands alone.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = Result<&'a [u8], Unfit>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let bare = unfit(400, "a line ends with CR or LF alone");
        let Some(end) = self.0.iter().position(|byte| *byte == b'\n') else {
            self.0 = &[];
            return Some(Err(bare));
        };
        let (line, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        match line.strip_suffix(b"\r") {
            Some(line) if !line.contains(&b'\r') => Some(Ok(line)),
            _ => Some(Err(bare)),
        }
    }
}

/// What the rules about fields need of the request line.
pub(crate) struct RequestLine<'a> {
    /// The authority of an absolute-form target.
    pub(crate) authority: Option<&'a [u8]>,
    pub(crate) http_10: bool,
}

impl<'a> RequestLine<'a> {
    fn read(line: &'a [u8]) -> Result<Self, Unfit> {
        let mut parts = line.split(|byte| *byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(unfit(400, "the request line is not METHOD TARGET VERSION"));
        };
        let http_10 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(unfit(400, "the version is unknown")),
        };
        if method == b"CONNECT" {
            return Err(unfit(405, "CONNECT is not served"));
        }
        if target.len() > MAX_TARGET {
            return Err(unfit(414, "the target is longer than 8 KiB"));
        }
        if target.iter().any(|byte| !byte.is_ascii_graphic()) {
            return Err(unfit(400, "the target holds a byte that must be escaped"));
        }
        let authority = authority_of(method, target)?;
        Ok(Self { authority, http_10 })
    }
}

/// The authority of an absolute-form target, `None` for a path or the `*` of OPTIONS.
fn authority_of<'a>(method: &[u8], target: &'a [u8]) -> Result<Option<&'a [u8]>, Unfit> {
    if target.starts_with(b"/") || (target == b"*" && method == b"OPTIONS") {
        return Ok(None);
    }
    let rest = [&b"http://"[..], b"https://"]
        .iter()
        .find_map(|scheme| strip_ignoring_case(target, scheme))
        .ok_or(unfit(400, "the target does not begin with /"))?;
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'))
        .unwrap_or(rest.len());
    Ok(Some(&rest[..end]))
}

fn strip_ignoring_case<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}
