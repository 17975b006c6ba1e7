//! Compares a request that the endpoint received with the expected one.

use super::ids;
use super::request::SeenRequest;
use crate::recorder::Exchange;
use crate::wire::shown;

#[cfg(test)]
mod tests;

/// Returns a description of the difference; `None` if the request is as expected.
pub(super) fn differs(exchange: &Exchange, wanted: &SeenRequest, host: &str) -> Option<String> {
    let bytes = wanted.bytes.bytes(host);
    let got = ids::without(&exchange.bytes);
    let got = got.as_slice();
    let same = match &wanted.chunks {
        Some(data) => {
            let rest = got.strip_prefix(bytes.as_slice());
            let body = rest.and_then(|body| chunks(body, &data.bytes(host)));
            exchange.whole && body == Some(wanted.trailers.bytes(host).as_slice())
        }
        None if wanted.up_to => bytes.starts_with(got) && exchange.head > 0,
        None => exchange.whole && got == bytes,
    };
    if same {
        return None;
    }
    let whole = if exchange.whole {
        ""
    } else {
        ", and then nothing more,"
    };
    let mut text = format!(
        "the endpoint got\n    {}{whole}\n  instead of\n    {}",
        shown(got),
        shown(&bytes)
    );
    if let Some(data) = &wanted.chunks {
        let data = shown(&data.bytes(host));
        let trailers = shown(&wanted.trailers.bytes(host));
        text.push_str(&format!(
            " and then in chunks {data}, with the trailers {trailers}"
        ));
    }
    Some(text)
}

/// Returns the trailers of a body that carries exactly `data` in chunks of the canonical form; `None` if it does not.
fn chunks<'a>(mut body: &'a [u8], mut data: &[u8]) -> Option<&'a [u8]> {
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let digits = std::str::from_utf8(&body[..end]).ok()?;
        let size = usize::from_str_radix(digits, 16).ok()?;
        if format!("{size:x}") != digits {
            return None;
        }
        body = &body[end + 2..];
        if size == 0 {
            return if data.is_empty() {
                body.strip_suffix(b"\r\n")
            } else {
                None
            };
        }
        let (chunk, rest) = body.split_at_checked(size)?;
        data = data.strip_prefix(chunk)?;
        body = rest.strip_prefix(b"\r\n")?;
    }
}
