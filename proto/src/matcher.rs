//! Matching: which host and which route a request belongs to. Pure, and the same in control, every proxy and `aralez-ctl`.

use std::borrow::Cow;

/// Placeholder until the matcher lands.
pub fn normalise_host(text: &str) -> Result<Cow<'_, str>, String> {
    Ok(Cow::Owned(text.to_ascii_lowercase()))
}

/// Placeholder until the matcher lands.
pub fn normalise_route_path(text: &str) -> Result<Cow<'_, str>, String> {
    Ok(Cow::Borrowed(text))
}
