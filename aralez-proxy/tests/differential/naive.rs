//! Naive readers: they accept everything, and each resolves ambiguities in another way.

use std::fmt::{self, Display, Formatter};

use super::message::{Message, Reading, field};

/// A naive reader. It accepts everything that it can interpret somehow: LF as a line end, spaces around names, folded lines, signs and
/// garbage around numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Naive {
    /// The last of repeated fields counts, instead of the first.
    pub(crate) last: bool,
    /// `Content-Length` takes precedence over chunks.
    pub(crate) length_first: bool,
    /// The accepted line ends.
    pub(crate) ends: Ends,
}

/// Accepted line ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ends {
    /// LF, with or without a CR before it.
    Feed,
    /// LF, CRLF, or CR alone.
    Either,
    /// Only CRLF: a CR or LF alone is part of the line.
    Pair,
}

/// Returns all naive readers.
pub(crate) fn all() -> impl Iterator<Item = Naive> {
    let ends = [Ends::Feed, Ends::Either, Ends::Pair].into_iter();
    ends.flat_map(|ends| {
        (0..4).map(move |bits| Naive {
            last: bits & 1 != 0,
            length_first: bits & 2 != 0,
            ends,
        })
    })
}

impl Display for Naive {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

struct Head {
    first: String,
    fields: Vec<(String, Vec<u8>)>,
    end: usize,
}

impl Naive {
    /// Reads a request.
    pub(crate) fn request(self, bytes: &[u8]) -> Reading {
        let Some(head) = self.head(bytes, 0) else {
            return Reading::Open;
        };
        let mut parts = head.first.split_whitespace();
        let (method, target) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        let message = Message {
            first: format!("{method} {target}"),
            host: String::from_utf8_lossy(self.find(&head.fields, "host").unwrap_or_default())
                .into(),
            ..Message::default()
        };
        match self.framing(&head.fields) {
            Framing::Chunked => self.chunks(bytes, head.end, message),
            Framing::Length(length) => of_length(bytes, head.end, length, message),
            Framing::Neither => of_length(bytes, head.end, 0, message),
        }
    }

    /// Reads a response and the informational responses before it. `to_head`: the request was a HEAD; `closed`: the connection closes
    /// after the bytes.
    pub(crate) fn response(self, bytes: &[u8], to_head: bool, closed: bool) -> Reading {
        let mut at = 0;
        loop {
            let Some(head) = self.head(bytes, at) else {
                return Reading::Open;
            };
            let status = head.first.split_whitespace().nth(1).unwrap_or_default();
            let message = Message {
                first: status.to_owned(),
                ..Message::default()
            };
            if status.starts_with('1') && status != "101" {
                at = head.end;
                continue;
            }
            if to_head || matches!(status, "101" | "204" | "304") {
                return of_length(bytes, head.end, 0, message);
            }
            return match self.framing(&head.fields) {
                Framing::Chunked => self.chunks(bytes, head.end, message),
                Framing::Length(length) => of_length(bytes, head.end, length, message),
                Framing::Neither if closed => {
                    of_length(bytes, head.end, (bytes.len() - head.end) as u64, message)
                }
                Framing::Neither => Reading::Open,
            };
        }
    }

    /// Returns the line at `at` and the offset of the next one; `None` if the line has no end.
    fn line(self, bytes: &[u8], at: usize) -> Option<(&[u8], usize)> {
        let rest = bytes.get(at..)?;
        let ends = |place: usize| match self.ends {
            Ends::Feed => rest[place] == b'\n',
            Ends::Either => matches!(rest[place], b'\n' | b'\r'),
            Ends::Pair => rest[place..].starts_with(b"\r\n"),
        };
        let end = (0..rest.len()).find(|place| ends(*place))?;
        let line = &rest[..end];
        let pair = rest[end..].starts_with(b"\r\n");
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some((line, at + end + 1 + usize::from(pair)))
    }

    fn head(self, bytes: &[u8], mut at: usize) -> Option<Head> {
        let first = loop {
            let (line, next) = self.line(bytes, at)?;
            at = next;
            if !line.trim_ascii().is_empty() {
                break String::from_utf8_lossy(line).into_owned();
            }
        };
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        loop {
            let (line, next) = self.line(bytes, at)?;
            at = next;
            match (line.first(), fields.last_mut()) {
                (None, _) => {
                    return Some(Head {
                        first,
                        fields,
                        end: at,
                    });
                }
                (Some(b' ' | b'\t'), Some((_, value))) => value.extend_from_slice(line),
                _ => fields.extend(field(line)),
            }
        }
    }

    fn find<'a>(self, fields: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
        let mut found = fields.iter().filter(|(key, _)| key == name);
        let field = if self.last {
            found.next_back()
        } else {
            found.next()
        };
        field.map(|(_, value)| value.as_slice())
    }

    fn framing(self, fields: &[(String, Vec<u8>)]) -> Framing {
        let coding = self.find(fields, "transfer-encoding").unwrap_or_default();
        let chunked = String::from_utf8_lossy(coding)
            .to_lowercase()
            .contains("chunked");
        let length = self
            .find(fields, "content-length")
            .map(|value| number(value, 10).unwrap_or_default());
        match (chunked, length) {
            (true, Some(length)) if self.length_first => Framing::Length(length),
            (true, _) => Framing::Chunked,
            (false, Some(length)) => Framing::Length(length),
            (false, None) => Framing::Neither,
        }
    }

    fn chunks(self, bytes: &[u8], mut at: usize, mut message: Message) -> Reading {
        loop {
            let Some((line, next)) = self.line(bytes, at) else {
                return Reading::Open;
            };
            let Some(size) = number(line, 16) else {
                return Reading::Refused("no chunk size");
            };
            at = next;
            if size == 0 {
                return self.trailers(bytes, at, message);
            }
            let end = usize::try_from(size)
                .ok()
                .and_then(|size| at.checked_add(size));
            let Some(data) = end.and_then(|end| bytes.get(at..end)) else {
                return Reading::Open;
            };
            message.body.extend_from_slice(data);
            at += data.len();
            match bytes.get(at..).unwrap_or_default() {
                [b'\r', b'\n', ..] => at += 2,
                [b'\n', ..] => at += 1,
                [] | [b'\r'] => return Reading::Open,
                _ => return Reading::Refused("no end of a chunk"),
            }
        }
    }

    fn trailers(self, bytes: &[u8], mut at: usize, mut message: Message) -> Reading {
        loop {
            let Some((line, next)) = self.line(bytes, at) else {
                return Reading::Open;
            };
            at = next;
            if line.is_empty() {
                message.end = at;
                return Reading::Whole(message);
            }
            message.trailers.extend(field(line));
        }
    }
}

enum Framing {
    Chunked,
    Length(u64),
    Neither,
}

fn of_length(bytes: &[u8], from: usize, length: u64, mut message: Message) -> Reading {
    let end = usize::try_from(length)
        .ok()
        .and_then(|length| from.checked_add(length));
    let Some(body) = end.and_then(|end| bytes.get(from..end)) else {
        return Reading::Open;
    };
    message.body = body.to_vec();
    message.end = from + body.len();
    Reading::Whole(message)
}

/// Parses a number as C does: spaces and a `+` before it, and anything after it. `None` if there is no digit.
fn number(text: &[u8], radix: u32) -> Option<u64> {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"+").unwrap_or(text);
    let mut digits = text
        .iter()
        .map_while(|byte| char::from(*byte).to_digit(radix))
        .peekable();
    digits.peek()?;
    Some(digits.fold(0_u64, |number, digit| {
        number
            .wrapping_mul(u64::from(radix))
            .wrapping_add(u64::from(digit))
    }))
}
