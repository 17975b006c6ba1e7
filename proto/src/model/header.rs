//! Header edits: what a route sets, appends and removes.

use std::fmt;

use crate::model::template::{Template, UnknownPlaceholder, WrittenValue};

/// The message that is edited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The request on its way to the endpoint (`server_headers`).
    Request,
    /// The response on its way to the client (`client_headers`, `headers`).
    Response,
}

/// A header field whose name and value are safe to send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    name: String,
    value: HeaderValue,
}

/// The value of a header edit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HeaderValue {
    /// This text, for every message.
    Literal(String),
    /// A text that is made for each message.
    Template(Template),
}

/// The reason why a header is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidHeader {
    /// Not a token (RFC 9110 section 5.6.2).
    Name(String),
    /// Holds CR, LF, NUL or another control byte (RFC 9110 section 5.5).
    Value(String),
    /// Has an unknown placeholder.
    Placeholder(UnknownPlaceholder),
    /// A field that frames the message or that the proxy itself sets.
    Managed(String),
    /// A name or value that is too long for endpoints and clients to accept.
    Long,
}

/// Maximum number of edits in one scope. A request has at most `max_fields` fields, 100 by default.
pub const MOST_EDITS: usize = 256;
/// Maximum length of a name, in bytes.
const LONGEST_NAME: usize = 256;
/// Maximum length of a value, in bytes.
const LONGEST_VALUE: usize = 16 * 1024;

impl fmt::Display for InvalidHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "{name:?} is not a header name: only letters, digits and !#$%&'*+-.^_`|~ are allowed"
            ),
            Self::Value(name) => write!(
                f,
                "the value of {name} contains a control byte; a header is one line"
            ),
            Self::Placeholder(unknown) => unknown.fmt(f),
            Self::Long => write!(
                f,
                "a header name has at most {LONGEST_NAME} bytes, a value at most {LONGEST_VALUE}"
            ),
            Self::Managed(name) => {
                write!(f, "{name} is set by the proxy itself and cannot be edited")
            }
        }
    }
}

impl std::error::Error for InvalidHeader {}

const FRAMING: [&str; 9] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];
/// Every request carries it, so that loops are detected (RFC 8586 section 2).
const CDN_LOOP: &str = "cdn-loop";

/// Checks a header name and returns it in lower case.
///
/// # Errors
/// [`InvalidHeader::Name`], [`InvalidHeader::Long`] or, for a field that the proxy manages in this direction, [`InvalidHeader::Managed`].
pub fn check_name(direction: Direction, name: &str) -> Result<String, InvalidHeader> {
    let lower = lower_name(name)?;
    let managed =
        FRAMING.contains(&lower.as_str()) || (direction == Direction::Request && lower == CDN_LOOP);
    if managed {
        Err(InvalidHeader::Managed(lower))
    } else {
        Ok(lower)
    }
}

/// Checks the form of a header name and returns it in lower case.
///
/// # Errors
/// [`InvalidHeader::Name`] or [`InvalidHeader::Long`].
pub(crate) fn lower_name(name: &str) -> Result<String, InvalidHeader> {
    if name.len() > LONGEST_NAME {
        return Err(InvalidHeader::Long);
    }
    if !is_token(name) {
        return Err(InvalidHeader::Name(name.to_owned()));
    }
    Ok(name.to_ascii_lowercase())
}

/// Reports whether a text is a token (RFC 9110 section 5.6.2).
pub(super) fn is_token(text: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(token)
}

/// Checks a header value and returns it without leading and trailing white space.
///
/// # Errors
/// [`InvalidHeader::Long`], or [`InvalidHeader::Value`], which names the header but never shows the value, as it may be a secret.
pub fn check_value(name: &str, value: &str) -> Result<String, InvalidHeader> {
    let value = value.trim_matches([' ', '\t']);
    if value.len() > LONGEST_VALUE {
        return Err(InvalidHeader::Long);
    }
    if value
        .bytes()
        .any(|byte| (byte < b' ' && byte != b'\t') || byte == 0x7f)
    {
        return Err(InvalidHeader::Value(name.to_owned()));
    }
    Ok(value.to_owned())
}

impl HeaderValue {
    /// Returns the text. `None` if it is made for each message.
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Template(_) => None,
        }
    }
}

impl Header {
    /// Returns a header for one direction.
    ///
    /// # Errors
    /// If the name or the value is not valid in a message, or the proxy manages the field.
    pub fn new(direction: Direction, name: &str, value: &str) -> Result<Self, InvalidHeader> {
        let name = check_name(direction, name)?;
        let value = HeaderValue::Literal(check_value(&name, value)?);
        Ok(Self { name, value })
    }

    /// Returns a header whose value is written as in a document, perhaps with placeholders.
    ///
    /// # Errors
    /// Like [`Header::new`], or if a placeholder is unknown.
    pub fn written(direction: Direction, name: &str, value: &str) -> Result<Self, InvalidHeader> {
        let name = check_name(direction, name)?;
        let value = check_value(&name, value)?;
        let value = match WrittenValue::parse(&value).map_err(InvalidHeader::Placeholder)? {
            WrittenValue::Literal(text) => HeaderValue::Literal(text),
            WrittenValue::Template(template) => HeaderValue::Template(template),
        };
        Ok(Self { name, value })
    }

    /// Returns the name, in lower case.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value.
    pub const fn value(&self) -> &HeaderValue {
        &self.value
    }
}

/// The edits of one scope to the headers of one direction: remove, then set, then append.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeaderEdits {
    /// Replaces every field of the name.
    pub set: Vec<Header>,
    /// Adds a field to the existing ones.
    pub append: Vec<Header>,
    /// Removes every field of the name; lower case.
    pub remove: Vec<String>,
}

/// The reason why edits are invalid together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEdits {
    /// More than [`MOST_EDITS`].
    #[error("has more than {MOST_EDITS} header edits")]
    Many,
    /// Without a host or with two, endpoints answer 400 or disagree on which host is meant.
    #[error("a request has exactly one Host: it can be set, but not appended or removed")]
    Host,
}

impl HeaderEdits {
    /// Checks the edits as a whole.
    ///
    /// # Errors
    /// [`InvalidEdits`], the first that applies.
    pub fn check(&self, direction: Direction) -> Result<(), InvalidEdits> {
        if self.set.len() + self.append.len() + self.remove.len() > MOST_EDITS {
            return Err(InvalidEdits::Many);
        }
        let appended = self.append.iter().any(|header| header.name == "host");
        let removed = self.remove.iter().any(|name| name == "host");
        if direction == Direction::Request && (appended || removed) {
            return Err(InvalidEdits::Host);
        }
        Ok(())
    }

    /// Reports whether fields of this name, in lower case, are replaced.
    pub fn sets(&self, name: &str) -> bool {
        self.set.iter().any(|header| header.name == name)
    }

    /// Reports whether there are no edits.
    pub const fn is_empty(&self) -> bool {
        self.set.is_empty() && self.append.is_empty() && self.remove.is_empty()
    }

    /// Returns the edits of a wider scope overridden by a narrower one. Headers merge by name, and the narrower scope wins.
    #[must_use]
    pub fn narrowed_by(&self, narrower: &Self) -> Self {
        let decided = |name: &str| {
            narrower.set.iter().any(|header| header.name == name)
                || narrower.remove.iter().any(|gone| gone == name)
        };
        let kept = |headers: &[Header]| -> Vec<Header> {
            headers
                .iter()
                .filter(|header| !decided(&header.name))
                .cloned()
                .collect()
        };
        let removed = self.remove.iter().filter(|name| !decided(name)).cloned();
        Self {
            set: kept(&self.set)
                .into_iter()
                .chain(narrower.set.iter().cloned())
                .collect(),
            append: kept(&self.append)
                .into_iter()
                .chain(narrower.append.iter().cloned())
                .collect(),
            remove: removed.chain(narrower.remove.iter().cloned()).collect(),
        }
    }
}
