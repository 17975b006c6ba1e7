//! The headers of an authorization server's response that are copied to the request.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value as Json, json};

use crate::model::{Direction, InvalidHeader, check_name};
use crate::reading::{FromYaml, Reader, parsed};
use crate::rules::authorization::proof_header::proof_header;
use crate::yaml::Node;

/// A header that is copied: a name, or all names with a prefix. In lower case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CopiedHeader {
    /// `Name`
    Name(Box<str>),
    /// `Prefix*`
    Prefix(Box<str>),
}

impl FromStr for CopiedHeader {
    type Err = InvalidHeader;

    fn from_str(text: &str) -> Result<Self, InvalidHeader> {
        match text.strip_suffix('*') {
            Some(prefix) => check_name(Direction::Request, prefix)
                .map(Box::from)
                .map(Self::Prefix),
            None => proof_header(text).map(Box::from).map(Self::Name),
        }
    }
}

impl fmt::Display for CopiedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// A [`CopiedHeader`] as written.
pub(crate) struct WrittenCopied(pub(super) CopiedHeader);

impl FromYaml for WrittenCopied {
    const EXPECTED: &'static str = "a header name, or a prefix followed by *";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        parsed(node, reader, Self::EXPECTED, str::parse).map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}
