//! Paths of requests: the path that is forwarded, and the route that every reading of it selects.
//!
//! An endpoint may decode `%2F` before it interprets a path, or cut parameters (`;v=1`) off its segments, and a proxy cannot know which. A
//! route's rules are safe only if all endpoints agree on the route: each reading below must select the same one, or the request is refused.
//! The path is forwarded as the client wrote it, unless it has dot segments, which are resolved.
//!
//! *F*, the forwarded path: unreserved escapes are decoded in a copy. If the copy has a segment `.` or `..`, F is the copy with slashes
//! merged and dot segments resolved (RFC 3986 section 5.2.4). Otherwise F is the path as written, with its leading slashes merged into one.
//!
//! Readings of F: encoded slashes (`%2F` and `%5C`, both as `/`) are kept, decoded before parameters are cut, or decoded after; each
//! combined with marks kept, or cut (`%3B` begins a parameter, `%3F` and `%23` end the path). Every reading decodes
//! escapes of other printable characters except `%`, cuts each segment at `;`, and drops empty segments except for a trailing slash. The
//! reading with everything kept selects the route. The request is refused if any reading has a dot segment or selects another route. A
//! path without `%2F %5C %3B %3F %23` has only one reading.
//!
//! Escapes of printable characters (`%21`) are decoded in requests and routes alike, so that `/secret%21` cannot bypass the route
//! `/secret!`.

use std::borrow::Cow;

mod dots;
mod escape;
mod reading;
mod route;
mod scan;
mod strip;
#[cfg(test)]
mod tests;

pub(super) use escape::unescape;
use reading::{Marks, Slashes};
pub(crate) use route::read_route_path;
pub use route::{InvalidRoutePath, normalise_route_path};
pub(super) use scan::check_target_byte;
use scan::{Seen, scan};
pub use strip::{InvalidAddedPrefix, normalise_added_prefix};

/// The reason why a request's path is refused. Each is answered with 400.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidPath {
    /// Neither a path nor `http://` or `https://` with an authority.
    #[error("does not begin with /")]
    NotAbsolute,
    /// `%` without two hexadecimal digits.
    #[error("contains a % that is not followed by two hexadecimal digits")]
    Escape,
    /// A control byte, raw or escaped, NUL included.
    #[error("contains a control byte")]
    Control,
    /// A raw backslash: some endpoints read it as a slash.
    #[error("contains a backslash")]
    Backslash,
    /// A space or a byte beyond ASCII.
    #[error("contains a space or a byte that must be percent-encoded")]
    Unescaped,
    /// A `#`, which clients must not send.
    #[error("contains a fragment (#)")]
    Fragment,
    /// `%5C` together with `;` or `%3B`: too many readings.
    #[error("contains both an escaped backslash and a parameter")]
    BackslashAndParameter,
    /// `..%2f`, `..;x`: a dot segment that only some readings have.
    #[error("hides a dot segment behind an escape or a parameter")]
    HiddenDots,
    /// `/%2Fsecret` with a route `/secret`: some readings are the path of another route.
    #[error("matches another route when decoded further")]
    OtherRoute,
}

/// The path of a request, ready to be matched and forwarded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestPath<'a> {
    forwarded: Cow<'a, str>,
    seen: Seen,
}

impl<'a> RequestPath<'a> {
    /// Parses a path without its query. Allocates only if dot segments must be resolved.
    ///
    /// # Errors
    /// [`InvalidPath`] if no reading of the path is acceptable. [`RequestPath::select`] refuses the rest.
    pub fn parse(written: &'a str) -> Result<Self, InvalidPath> {
        // RFC 3986 section 3.3: a path that follows an authority begins with a slash.
        let written = one_leading_slash(written).ok_or(InvalidPath::NotAbsolute)?;
        let seen = scan(written.as_bytes())?;
        // RFC 9110 section 7.7: a path is forwarded as received, except that its leading slashes are merged and its dot segments resolved.
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

    /// Returns the path to forward.
    pub fn forwarded(&self) -> &str {
        &self.forwarded
    }

    /// Returns the path to forward. `None` if it is not a part of the written path.
    pub(super) const fn as_written(&self) -> Option<&'a str> {
        match self.forwarded {
            Cow::Borrowed(written) => Some(written),
            Cow::Owned(_) => None,
        }
    }

    /// Returns the value that the path selects. `find` receives paths in the form of [`normalise_route_path`], possibly with a trailing
    /// slash. Its results are compared: equal values must stand for the same rules. Does not allocate if the path has that form and only
    /// one reading.
    ///
    /// # Errors
    /// [`InvalidPath::HiddenDots`] and [`InvalidPath::OtherRoute`] if readings differ.
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

/// Returns the path with its leading slashes merged into one. `None` if it has none.
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
