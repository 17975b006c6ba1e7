//! `redirect_to`.

use serde_json::{Value as Json, json};

use crate::model::{Redirect, RedirectStatus, RedirectTarget};
use crate::reading::{Between, FromYaml, Reader, keys, parsed_quoting};
use crate::yaml::{Node, Value};

/// `redirect_to`: a URL, or a map of `to` and `status`.
pub(crate) struct RedirectTo(pub(crate) Redirect);

keys! {
    /// A redirect.
    RedirectKeys "in redirect_to";
    /// The target URL; the path and the query of the request are appended.
    to => WrittenTarget,
    /// The status: 301, 302, 307 or 308. Default: 301.
    status => Between<300, 399>,
}

impl FromYaml for RedirectTo {
    const EXPECTED: &'static str = "a URL, or a map of to and status";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let redirect = |to: WrittenTarget, status| Self(Redirect { to: to.0, status });
        match node.value() {
            Value::Scalar(_) => {
                WrittenTarget::read(node, reader).map(|to| redirect(to, RedirectStatus::default()))
            }
            Value::Mapping(_) => {
                let keys = RedirectKeys::read(node, reader)?;
                if node.get("to").is_none() {
                    reader.fault(node.at(), "`to` is missing");
                }
                let status = match &keys.status {
                    None => RedirectStatus::default(),
                    Some(code) => status(code.value.0).or_else(|| {
                        let reason =
                            format!("expected 301, 302, 307 or 308, found {}", code.value.0);
                        reader.under("status", |reader| reader.fault(code.at, reason));
                        None
                    })?,
                };
                Some(redirect(keys.to?.value, status))
            }
            Value::Sequence(_) => reader.mismatch(node, Self::EXPECTED),
        }
    }

    fn schema() -> Json {
        json!({ "anyOf": [WrittenTarget::schema(), RedirectKeys::schema()] })
    }
}

fn status(code: u64) -> Option<RedirectStatus> {
    RedirectStatus::from_code(u32::try_from(code).ok()?)
}

/// Scheme, authority and an optional path, without a trailing slash.
pub(crate) struct WrittenTarget(RedirectTarget);

impl FromYaml for WrittenTarget {
    const EXPECTED: &'static str = "a URL such as https://www.example.com";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        parsed_quoting(node, reader, Self::EXPECTED, str::parse).map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^https?://[^/?#@\\s]+[^?#\\s]*$" })
    }
}
