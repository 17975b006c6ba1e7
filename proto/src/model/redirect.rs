//! Redirects that keep path and query.

use std::fmt;
use std::str::FromStr;

/// A redirect that keeps path and query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// The target.
    pub to: RedirectTarget,
    /// The status.
    pub status: RedirectStatus,
}

/// Scheme and authority with an optional path, without a trailing slash. The request's path and query are appended. Contains only
/// characters of a URL, so that it cannot split a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedirectTarget(String);

/// The reason why a text is not a redirect's target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidTarget(&'static str);

impl RedirectTarget {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RedirectTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RedirectTarget {
    type Err = InvalidTarget;

    fn from_str(text: &str) -> Result<Self, InvalidTarget> {
        target(text).map(Self).map_err(InvalidTarget)
    }
}

/// The statuses that a redirect may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u16)]
pub enum RedirectStatus {
    /// 301
    #[default]
    MovedPermanently = 301,
    /// 302
    Found = 302,
    /// 307
    TemporaryRedirect = 307,
    /// 308
    PermanentRedirect = 308,
}

impl RedirectStatus {
    /// Returns the status code.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Returns the status of a code. `None` if it is none of these.
    pub fn from_code(code: u32) -> Option<Self> {
        [
            Self::MovedPermanently,
            Self::Found,
            Self::TemporaryRedirect,
            Self::PermanentRedirect,
        ]
        .into_iter()
        .find(|status| u32::from(status.code()) == code)
    }
}

fn target(text: &str) -> Result<String, &'static str> {
    let (scheme, rest) = text
        .split_once("://")
        .ok_or("is not a URL with a scheme, such as https://www.example.com")?;
    let scheme = scheme.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") {
        return Err("has a scheme other than http and https");
    }
    if rest.contains(['?', '#']) {
        return Err("has a query or a fragment; the request's path and query are appended");
    }
    check_url_characters(rest)?;
    let authority = rest.split('/').next().unwrap_or_default();
    check_authority(authority)?;
    Ok(format!("{scheme}://{}", rest.trim_end_matches('/')))
}

/// Checks that a text consists of characters of a URL (RFC 3986 section 2), so that it cannot split a message.
pub(crate) fn check_url_characters(text: &str) -> Result<(), &'static str> {
    let visible = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    match text.bytes().all(visible) {
        true => Ok(()),
        false => Err("contains a character that is not allowed in a URL"),
    }
}

fn check_authority(authority: &str) -> Result<(), &'static str> {
    if authority.contains('@') {
        return Err("contains user information, which every client would see");
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
        Some(_) => Err("has an invalid port; expected 1 to 65535"),
    }
}
