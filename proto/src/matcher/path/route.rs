//! Paths of routes.

use std::borrow::Cow;

use super::escape::unescape;
use super::reading::{Marks, Slashes};
use super::{InvalidPath, RequestPath};

/// The reason why the path of a route is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRoutePath {
    /// It would be refused in a request too.
    #[error("{0}")]
    Path(#[from] InvalidPath),
    /// Queries never take part in matching.
    #[error("contains a query (?); routes match paths only")]
    Query,
    /// Parameters never take part in matching.
    #[error("contains a parameter (;); routes match segments without their parameters")]
    Parameter,
    /// Requests with such an escape must select the same route whether or not it is decoded, so none could select this one.
    #[error(
        "contains {0}, which endpoints interpret differently, so a route cannot depend on it; end the route before it"
    )]
    Escape(&'static str),
}

/// Returns the form in which a route's path is stored: read like a request's path, without a trailing slash except for `/` itself.
///
/// # Errors
/// [`InvalidRoutePath`] if it has a query, a fragment, parameters or an escape that separates, or would be refused in a request.
pub fn normalise_route_path(text: &str) -> Result<Cow<'_, str>, InvalidRoutePath> {
    let length = |path: &str| path.len() - usize::from(path.len() > 1 && path.ends_with('/'));
    Ok(match read_route_path(text)? {
        Cow::Borrowed(path) => Cow::Borrowed(&path[..length(path)]),
        Cow::Owned(mut path) => {
            path.truncate(length(&path));
            Cow::Owned(path)
        }
    })
}

/// Like [`normalise_route_path`], but keeps a trailing slash.
pub(crate) fn read_route_path(text: &str) -> Result<Cow<'_, str>, InvalidRoutePath> {
    if text.contains('?') {
        return Err(InvalidRoutePath::Query);
    }
    if text.contains(';') {
        return Err(InvalidRoutePath::Parameter);
    }
    let path = RequestPath::parse(text)?;
    check_escapes(text)?;
    Ok(match path.as_written() {
        Some(written) if path.seen.reads_as_written() => Cow::Borrowed(written),
        _ => Cow::Owned(path.read(Slashes::Kept, Marks::Kept)?),
    })
}

fn check_escapes(text: &str) -> Result<(), InvalidRoutePath> {
    for part in text.split('%').skip(1) {
        let [high, low, ..] = part.as_bytes() else {
            continue;
        };
        let escape = match unescape(*high, *low) {
            Some(b'/') => "%2F",
            Some(b'\\') => "%5C",
            Some(b';') => "%3B",
            Some(b'?') => "%3F",
            Some(b'#') => "%23",
            _ => continue,
        };
        return Err(InvalidRoutePath::Escape(escape));
    }
    Ok(())
}
