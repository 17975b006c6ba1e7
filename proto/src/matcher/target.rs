//! The target of a request.

use std::borrow::Cow;

use super::authority::{Authority, Scheme};
use super::path::{self, InvalidPath, RequestPath};

#[cfg(test)]
mod tests;

/// The target of a request, in origin form (`/path?query`) or absolute form (`http://authority/path?query`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target<'a> {
    authority: Option<Authority<'a>>,
    path: RequestPath<'a>,
    query: Option<&'a str>,
    /// Path and query to forward, if they are a part of the received text.
    whole: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Parses a target. The caller must handle `*`, which has no path. The empty path of an absolute form is `/`. Allocates only if dot
    /// segments must be resolved.
    ///
    /// # Errors
    /// [`InvalidPath`], to be answered with 400.
    pub fn parse(text: &'a str) -> Result<Self, InvalidPath> {
        let (authority, rest) = split_authority(text)?;
        // RFC 3986 section 3.4: a query begins at the first question mark.
        let (raw, query) = match rest.split_once('?') {
            Some((raw, query)) => (raw, Some(query)),
            None => (rest, None),
        };
        for byte in query.unwrap_or_default().bytes() {
            // RFC 9110 section 7.1: a request target has no fragment.
            if byte == b'#' {
                return Err(InvalidPath::Fragment);
            }
            path::check_target_byte(byte)?;
        }
        // RFC 9112 section 3.2.1: a path begins with a slash, and an empty one is forwarded as a slash.
        let empty = raw.is_empty() && authority.is_some();
        let path = RequestPath::parse(if empty { "/" } else { raw })?;
        let whole = match path.as_written() {
            Some(_) if empty && query.is_some() => None,
            Some(root) if empty => Some(root),
            Some(written) => Some(&rest[raw.len() - written.len()..]),
            None => None,
        };
        Ok(Self {
            authority,
            path,
            query,
            whole,
        })
    }

    /// Returns the authority. `None` for the origin form.
    pub const fn authority(&self) -> Option<Authority<'a>> {
        self.authority
    }

    /// Returns the path.
    pub const fn path(&self) -> &RequestPath<'a> {
        &self.path
    }

    /// Returns the query as received, without `?`.
    pub const fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// Returns path and query to forward. Allocates only if dot segments were resolved, or a query follows an empty path.
    pub fn path_and_query(&self) -> Cow<'a, str> {
        let path = self.path.forwarded();
        match (self.whole, self.query) {
            (Some(whole), _) => Cow::Borrowed(whole),
            (None, Some(query)) => Cow::Owned(format!("{path}?{query}")),
            (None, None) => Cow::Owned(path.to_owned()),
        }
    }
}

fn split_authority(text: &str) -> Result<(Option<Authority<'_>>, &str), InvalidPath> {
    if text.starts_with('/') {
        return Ok((None, text));
    }
    let (scheme, rest) = Scheme::split(text).ok_or(InvalidPath::NotAbsolute)?;
    // RFC 3986 section 3.2: an authority ends at the first slash, question mark or number sign.
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    Ok((Some(Authority::new(scheme, authority)), rest))
}
