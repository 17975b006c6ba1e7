//! The target of a request.

use std::borrow::Cow;

use super::path::{self, InvalidPath};

#[cfg(test)]
mod tests;

/// The target of a request, in origin form (`/path?query`) or absolute form (`http://authority/path?query`), its path normalised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target<'a> {
    authority: Option<&'a str>,
    path: Cow<'a, str>,
    query: Option<&'a str>,
    /// Path and query as they came, where they are normal.
    whole: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Reads a target. `*` has no path and is the caller's to see first. The empty path of an absolute form is `/`.
    ///
    /// # Errors
    /// [`InvalidPath`]: answer 400.
    pub fn parse(text: &'a str) -> Result<Self, InvalidPath> {
        let (authority, rest) = split_authority(text)?;
        let (raw, query) = match rest.split_once('?') {
            Some((raw, query)) => (raw, Some(query)),
            None => (rest, None),
        };
        for byte in query.unwrap_or_default().bytes() {
            if byte == b'#' {
                return Err(InvalidPath::Fragment);
            }
            path::check_target_byte(byte)?;
        }
        let raw_or_root = if raw.is_empty() && authority.is_some() {
            "/"
        } else {
            raw
        };
        let path = path::normalise(raw_or_root)?;
        let whole = (matches!(path, Cow::Borrowed(_)) && !raw.is_empty()).then_some(rest);
        Ok(Self {
            authority,
            path,
            query,
            whole,
        })
    }

    /// The authority of an absolute form, as it came.
    pub const fn authority(&self) -> Option<&'a str> {
        self.authority
    }

    /// The normalised path, as it is forwarded.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query as it came, without `?`.
    pub const fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// The path as it is matched: segments without their parameters (`/secret;x=1` is `/secret`). Allocates only where there are any.
    pub fn match_path(&self) -> Cow<'_, str> {
        if !self.path.contains(';') {
            return Cow::Borrowed(&self.path);
        }
        let mut bare = String::with_capacity(self.path.len());
        for segment in self.path.split('/') {
            let name = segment.split(';').next().unwrap_or_default();
            if !name.is_empty() {
                bare.push('/');
                bare.push_str(name);
            }
        }
        if bare.is_empty() {
            bare.push('/');
        }
        Cow::Owned(bare)
    }

    /// Path and query as they are forwarded; borrowed where the path was normal.
    pub fn path_and_query(&self) -> Cow<'a, str> {
        match (self.whole, self.query) {
            (Some(whole), _) => Cow::Borrowed(whole),
            (None, Some(query)) => Cow::Owned(format!("{}?{query}", self.path)),
            (None, None) => Cow::Owned(self.path.clone().into_owned()),
        }
    }
}

fn split_authority(text: &str) -> Result<(Option<&str>, &str), InvalidPath> {
    if text.starts_with('/') {
        return Ok((None, text));
    }
    let rest = ["http://", "https://"]
        .into_iter()
        .find_map(|scheme| {
            let (head, rest) = text.split_at_checked(scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then_some(rest)
        })
        .ok_or(InvalidPath::NotAbsolute)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    Ok((Some(authority), rest))
}
