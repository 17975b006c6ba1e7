//! Paths of requests: what is forwarded, and which route every reading of it selects.
//!
//! An endpoint may decode `%2F` before it looks at a path, or cut parameters (`;v=1`) off its segments, and no proxy knows which of them
//! does. A route's rules hold only where all of them agree: each reading below must select the same route, or the request is refused. What
//! is forwarded stays as the client wrote it, unless it holds dot segments, which are resolved.
//!
//! *F*, the path that is forwarded: unreserved escapes are decoded in a copy; if that copy has a segment `.` or `..`, F is the copy with
//! slashes merged and dot segments resolved (RFC 3986 section 5.2.4). Otherwise F is the path as written, its leading slashes as one.
//!
//! Readings of F: encoded slashes (`%2F` and `%5C`, both as `/`) kept, decoded before parameters are cut, or decoded after; times marks
//! kept, or cut (`%3B` begins a parameter, `%3F` and `%23` end the path). Each reading decodes the other escapes, cuts every segment at
//! `;`, and drops empty segments but for a trailing slash. With everything kept it selects the route. A reading with a dot segment, or one
//! that selects something else, is refused. A path without `%2F %5C %3B %3F %23` has one reading only.
//!
//! Beyond that rule, escapes of other printable characters (`%21`) are read as the character, in requests and routes alike, so that
//! `/secret%21` cannot pass by the route `/secret!`.

use std::borrow::Cow;

mod dots;
mod escape;
mod reading;
mod route;
mod scan;
#[cfg(test)]
mod tests;

use reading::{Marks, Slashes};
pub use route::{InvalidRoutePath, normalise_route_path};
pub(super) use scan::check_target_byte;
use scan::{Seen, scan};

/// Why a request's path is refused. All of these are answered 400.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidPath {
    /// Neither a path nor `http://` or `https://` with an authority.
    #[error("does not begin with /")]
    NotAbsolute,
    /// `%` without two hexadecimal digits.
    #[error("holds a % that is not followed by two hexadecimal digits")]
    Escape,
    /// A control byte, raw or escaped, NUL included.
    #[error("holds a control byte")]
    Control,
    /// A raw backslash: some endpoints read it as a slash.
    #[error("holds a backslash")]
    Backslash,
    /// A space or a byte beyond ASCII.
    #[error("holds a space or a byte that must be escaped")]
    Unescaped,
    /// `#` is never sent.
    #[error("holds a fragment (#)")]
    Fragment,
    /// `%5C` together with `;` or `%3B`: too many readings.
    #[error("holds an escaped backslash together with a parameter")]
    BackslashAndParameter,
    /// `..%2f`, `..;x`: a dot segment that only some readers see.
    #[error("hides a dot segment behind an escape or a parameter")]
    HiddenDots,
    /// `/%2Fsecret` beside the route `/secret`: some readers see the path of another route.
    #[error("is the path of another route to readers that decode it further")]
    OtherRoute,
}

/// A path as a request wrote it, ready to be matched and forwarded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestPath<'a> {
    forwarded: Cow<'a, str>,
    seen: Seen,
}

impl<'a> RequestPath<'a> {
    /// Reads a path, which holds no query. Allocates only where dot segments have to be resolved.
    ///
    /// # Errors
    /// [`InvalidPath`] where no reading of it is acceptable. [`RequestPath::select`] refuses the rest.
    pub fn parse(written: &'a str) -> Result<Self, InvalidPath> {
        let written = one_leading_slash(written).ok_or(InvalidPath::NotAbsolute)?;
        let seen = scan(written.as_bytes())?;
        if !seen.dots {
            return Ok(Self {
                forwarded: Cow::Borrowed(written),
                seen,
            });
        }
        let resolved = dots::resolve(&dots::decode_unreserved(written));
        let seen = scan(resolved.as_bytes())?;
        Ok(Self {
            forwarded: Cow::Owned(resolved),
            seen,
        })
    }

    /// The path as it is forwarded.
    pub fn forwarded(&self) -> &str {
        &self.forwarded
    }

    /// The same, where it is a part of what was written.
    pub(super) const fn as_written(&self) -> Option<&'a str> {
        match self.forwarded {
            Cow::Borrowed(written) => Some(written),
            Cow::Owned(_) => None,
        }
    }

    /// What the path selects. `find` gets paths in the form of [`normalise_route_path`], perhaps with a trailing slash, and what it finds is
    /// compared: equal values must stand for the same rules. Does not allocate where the path has that form and one reading.
    ///
    /// # Errors
    /// [`InvalidPath::HiddenDots`] and [`InvalidPath::OtherRoute`] where readers could differ.
    pub fn select<T: PartialEq>(
        &self,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, InvalidPath> {
        if self.seen.reads_as_written() {
            return Ok(find(&self.forwarded));
        }
        let found = find(&self.read(Slashes::Kept, Marks::Kept)?);
        for (slashes, marks) in self.seen.other_readings() {
            if find(&self.read(slashes, marks)?) != found {
                return Err(InvalidPath::OtherRoute);
            }
        }
        Ok(found)
    }

    fn read(&self, slashes: Slashes, marks: Marks) -> Result<String, InvalidPath> {
        reading::read(&self.forwarded, slashes, marks).ok_or(InvalidPath::HiddenDots)
    }
}

/// The path with its leading slashes as one; `None` where it has none.
fn one_leading_slash(path: &str) -> Option<&str> {
    match path.as_bytes() {
        [b'/', b'/', ..] => {
            let slashes = path.len() - path.trim_start_matches('/').len();
            Some(&path[slashes - 1..])
        }
        [b'/', ..] => Some(path),
        _ => None,
    }
}
