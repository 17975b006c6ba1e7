//! Credentials in the head of a request: only the right ones open a route, as another reader of the bytes finds them, and what is forwarded
//! holds no token.

use aralez_proxy::core::limits::HeadLimits;
use aralez_proxy::core::request::http1::request::{HeadFields, RequestHead};

use super::corpus::hash;
use super::lines::only_field;
use super::scene::{Fate, fate};
use super::tokens::SIGNED;

pub(crate) fn check(bytes: &[u8]) -> Result<u64, String> {
    let mut head = RequestHead::default();
    let length = match head.read(bytes, &HeadLimits::default()) {
        Ok(Some(length)) => length,
        Ok(None) => return Ok(hash("open")),
        Err(refusal) => return Ok(hash(format!("{refusal:?}"))),
    };
    let fields = HeadFields::new(&head, bytes);
    let fate = fate(head.host(bytes), head.target(bytes), fields);
    if let Fate::Forwarded(pool, target) = &fate {
        let (_, query) = target.split_once('?').unwrap_or_default();
        if query
            .split('&')
            .any(|part| part.starts_with("araleztoken="))
        {
            return Err(format!("the token is forwarded: {target}"));
        }
        if !is_right(pool, &bytes[..length], head.target(bytes)) {
            return Err(format!("{pool} is open"));
        }
    }
    Ok(hash((format!("{fate:?}"), head.fields().len())))
}

/// Reads the credentials again, line by line, and compares them with those that open the routes of this pool.
fn is_right(pool: &str, head: &[u8], target: &str) -> bool {
    match pool.split('/').next().unwrap_or_default() {
        "basic.test" => only_field(head, b"authorization").is_some_and(|value| {
            let coded = value.get(6..).unwrap_or_default().trim_ascii();
            let plain = coded
                .strip_suffix(b"==")
                .or(coded.strip_suffix(b"="))
                .unwrap_or(coded);
            value[..6].eq_ignore_ascii_case(b"basic ") && plain == b"dXNlcjpwYTpzcw"
        }),
        "key.test" => only_field(head, b"x-api-key") == Some(b"fuzz-key"),
        host @ ("jwt.test" | "issued.test") => {
            let (_, query) = target.split_once('?').unwrap_or_default();
            let parameter = |part: &str| Some(unescaped(part.strip_prefix("araleztoken=")?));
            let mut tokens = query.split('&').filter_map(parameter);
            let token = tokens.next().or_else(|| {
                let value = only_field(head, b"authorization")?;
                let bearer = value.get(..7)?.eq_ignore_ascii_case(b"bearer ");
                bearer.then(|| value[7..].trim_ascii().to_vec())
            });
            let signed = SIGNED.iter().filter(|(accepts, _)| *accepts == host);
            let mut signed = signed.map(|(_, token)| token.as_bytes());
            tokens.next().is_none() && signed.any(|signed| token.as_deref() == Some(signed))
        }
        // Routes without authorization, or behind `/secret`, whose key is the same as that of `key.test`.
        _ if pool.contains("/secret") => only_field(head, b"x-api-key") == Some(b"fuzz-key"),
        _ => true,
    }
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let digits = part
            .get(..2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.extend(digits);
        bytes.extend_from_slice(part.get(2..).unwrap_or_default().as_bytes());
    }
    bytes
}
