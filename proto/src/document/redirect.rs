//! `redirect_to`.

use serde_json::{Value as Json, json};

use crate::model::{Redirect, RedirectStatus};
use crate::schema::{Between, Reader, Shape, keys, shown, text};
use crate::yaml::{Node, Value};

/// `redirect_to`: a URL, or a map of `to` and `status`.
pub(crate) struct RedirectTo(pub(crate) Redirect);

keys! {
    /// A redirect.
    RedirectKeys "in redirect_to";
    /// Where to: the path and the query of the request are added.
    to: "to" => Target,
    /// The status: 301, 302, 307 or 308. Default: 301.
    status: "status" => Between<300, 399>,
}

impl Shape for RedirectTo {
    const EXPECTED: &'static str = "a URL, or a map of to and status";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let redirect = |to: Target, status| Self(Redirect { to: to.0, status });
        match node.value() {
            Value::Scalar(_) => {
                Target::read(node, reader).map(|to| redirect(to, RedirectStatus::default()))
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
        json!({ "anyOf": [Target::schema(), RedirectKeys::schema()] })
    }
}

fn status(code: u64) -> Option<RedirectStatus> {
    RedirectStatus::from_code(u32::try_from(code).ok()?)
}

/// Scheme, authority, perhaps a path; without a slash at the end.
pub(crate) struct Target(String);

impl Shape for Target {
    const EXPECTED: &'static str = "a URL, as https://www.example.com";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let text = text(node, reader, Self::EXPECTED)?;
        match target(text) {
            Ok(target) => Some(Self(target)),
            Err(reason) => {
                reader.fault(node.at(), format!("`{}` {reason}", shown(text)));
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^https?://[^/?#@\\s]+[^?#\\s]*$" })
    }
}

fn target(text: &str) -> Result<String, &'static str> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("is not a URL with a scheme, as https://www.example.com")?;
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") {
        return Err("has a scheme other than http and https");
    }
    if rest.contains(['?', '#']) {
        return Err("has a query or a fragment; those of the request are kept");
    }
    let visible = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    if !rest.bytes().all(visible) {
        return Err("has a character that a URL cannot have");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    check_authority(authority)?;
    Ok(format!("{scheme}://{}", rest.trim_end_matches('/')))
}

fn check_authority(authority: &str) -> Result<(), &'static str> {
    if authority.contains('@') {
        return Err("holds a user; a redirect would show it to everybody");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() || crate::matcher::normalise_host(host).is_err() {
        return Err("has no valid host");
    }
    match port.map(str::parse::<u16>) {
        None | Some(Ok(1..)) => Ok(()),
        Some(_) => Err("has a port that is not 1 to 65535"),
    }
}
