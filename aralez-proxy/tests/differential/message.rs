//! A message as a reader understood it.

/// One message, as a reader understood it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Message {
    /// Method and target, or the status.
    pub(crate) first: String,
    /// The value of `Host`; empty in responses.
    pub(crate) host: String,
    /// The data of the body, without framing.
    pub(crate) body: Vec<u8>,
    /// The trailers, names in lower case.
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
    /// Offset of the next message.
    pub(crate) end: usize,
}

/// A reader's result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
    /// A whole message.
    Whole(Message),
    /// An incomplete message: the reader waits for more bytes.
    Open,
    /// The reader refuses the bytes for this reason.
    Refused(&'static str),
}

impl Message {
    /// Describes the first difference from `other`; `None` if the messages are equal. The order of trailers with different names is
    /// not shown as a difference.
    pub(crate) fn differs(&self, other: &Self) -> Option<String> {
        if self == other {
            return None;
        }
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        let trailers = |message: &Self| {
            let mut trailers = message.trailers.clone();
            trailers.sort_by(|one, other| one.0.cmp(&other.0));
            format!("{trailers:?}")
        };
        let pairs = [
            ("first line", self.first.clone(), other.first.clone()),
            ("host", self.host.clone(), other.host.clone()),
            ("body", text(&self.body), text(&other.body)),
            ("end", self.end.to_string(), other.end.to_string()),
            ("trailers", trailers(self), trailers(other)),
        ];
        let differing = pairs.into_iter().find(|(_, mine, theirs)| mine != theirs);
        differing.map(|(what, mine, theirs)| format!("{what} is {mine:?}, expected {theirs:?}"))
    }
}

/// Splits trailer lines into names and values.
pub(crate) fn trailers(lines: &[u8]) -> Vec<(String, Vec<u8>)> {
    let lines = lines.split(|byte| *byte == b'\n');
    lines.filter_map(field).collect()
}

/// Splits a line into a lower-case name and a trimmed value, without validation. `None` if it has no colon.
pub(crate) fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8_lossy(&line[..colon])
        .trim()
        .to_lowercase();
    Some((name, line[colon + 1..].trim_ascii().to_vec()))
}
