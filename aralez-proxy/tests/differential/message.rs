//! A message as any of the readers understood it.

/// What a reader saw.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Message {
    /// Method and target, or the status.
    pub(crate) first: String,
    /// `Host`; empty in responses.
    pub(crate) host: String,
    /// The data of the body.
    pub(crate) body: Vec<u8>,
    /// The trailers, names in lower case.
    pub(crate) trailers: Vec<(String, Vec<u8>)>,
    /// Where the next message begins.
    pub(crate) end: usize,
}

/// What a reader made of bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
    /// A whole message.
    Whole(Message),
    /// More must come.
    Open,
    /// It does not take this.
    Refused(&'static str),
}

impl Message {
    /// What differs from the other one, in words. The order of trailers of different names means nothing.
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
        differing.map(|(what, mine, theirs)| format!("{what}: {mine:?} and not {theirs:?}"))
    }
}

/// Lines of trailers as pairs.
pub(crate) fn trailers(lines: &[u8]) -> Vec<(String, Vec<u8>)> {
    let lines = lines.split(|byte| *byte == b'\n');
    lines.filter_map(field).collect()
}

/// A line as a lower-case name and a trimmed value, read without any rule.
pub(crate) fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = String::from_utf8_lossy(&line[..colon])
        .trim()
        .to_lowercase();
    Some((name, line[colon + 1..].trim_ascii().to_vec()))
}
