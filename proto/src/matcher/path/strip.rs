//! Removal of a prefix from the path that is forwarded.

use std::borrow::Cow;

use super::reading::{self, Marks, Slashes};
use super::{InvalidPath, InvalidRoutePath, RequestPath, normalise_route_path, one_leading_slash};

impl RequestPath<'_> {
    /// Returns the forwarded path without `prefix`, which must be in the form of [`super::normalise_route_path`]: empty, or with one
    /// leading slash, and otherwise as written. Returns the whole path if `prefix` is not a prefix of it in whole segments.
    ///
    /// The removed part is the shortest one that ends at a segment border and reads as `prefix`, with the parameters of its last segment. An
    /// endpoint reads only the rest, so the rest is refused if a reading of it has a dot segment: a `%3F` in the removed part may have
    /// hidden one from some readings of the whole.
    ///
    /// # Errors
    /// [`InvalidPath::HiddenDots`]
    pub fn without(&self, prefix: &str) -> Result<&str, InvalidPath> {
        let path = self.forwarded();
        let rest = match self.seen.reads_as_written() {
            true => path
                .strip_prefix(prefix)
                .filter(|rest| rest.is_empty() || rest.starts_with('/')),
            false => end_of(path, prefix).map(|end| &path[end..]),
        };
        let Some(rest) = rest else { return Ok(path) };
        // Nothing is left of a path that was the prefix itself.
        let Some(rest) = one_leading_slash(rest) else {
            return Ok("");
        };
        if !self.seen.reads_as_written() {
            RequestPath::parse(rest)?.check_dots()?;
        }
        Ok(rest)
    }

    fn check_dots(&self) -> Result<(), InvalidPath> {
        self.read(Slashes::Kept, Marks::Kept)?;
        for (slashes, marks) in self.seen.other_readings() {
            self.read(slashes, marks)?;
        }
        Ok(())
    }
}

/// Returns the end of the shortest part of a scanned path that ends at a segment border and reads as `prefix`.
fn end_of(path: &str, mut prefix: &str) -> Option<usize> {
    let borders = path.match_indices('/').map(|(border, _)| border).skip(1);
    let mut start = 0;
    for border in borders.chain([path.len()]) {
        // With encoded slashes and marks kept, the segments between raw slashes are read one by one.
        let segment = reading::read(&path[start..border], Slashes::Kept, Marks::Kept)?;
        if segment != "/" {
            prefix = prefix.strip_prefix(&*segment)?;
            match prefix.bytes().next() {
                None => return Some(border),
                Some(b'/') => {}
                Some(_) => return None,
            }
        }
        start = border;
    }
    None
}

/// Returns the text that is put before the paths sent to endpoints: as written, with one leading slash and without a trailing one.
///
/// # Errors
/// [`InvalidAddedPrefix`] if a route's path could not be this text, or if it has a dot segment or is `/`.
pub fn normalise_added_prefix(text: &str) -> Result<&str, InvalidAddedPrefix> {
    normalise_route_path(text)?;
    let path = RequestPath::parse(text).map_err(InvalidRoutePath::from)?;
    match path.forwarded {
        Cow::Owned(_) => Err(InvalidAddedPrefix::Dots),
        Cow::Borrowed(written) => match written.trim_end_matches('/') {
            "" => Err(InvalidAddedPrefix::Root),
            prefix => Ok(prefix),
        },
    }
}

/// The reason why a text cannot be put before the paths sent to endpoints.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidAddedPrefix {
    /// It could not be the path of a route either.
    #[error("{0}")]
    Path(#[from] InvalidRoutePath),
    /// A segment `.` or `..`.
    #[error("contains a segment `.` or `..`; write the path that it leads to")]
    Dots,
    /// `/`
    #[error("adds nothing; remove the key")]
    Root,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn without(path: &str, prefix: &str) -> Result<String, InvalidPath> {
        RequestPath::parse(path)?.without(prefix).map(str::to_owned)
    }

    #[test]
    fn the_shortest_part_that_reads_as_the_prefix_is_removed_and_the_rest_stays_as_written() {
        for (path, prefix, rest) in [
            ("/foo", "/foo", ""),
            ("/foo/", "/foo", "/"),
            ("/foo//", "/foo", "/"),
            ("/foo/bar", "/foo", "/bar"),
            ("/foo//a//b/%7e", "/foo", "/a//b/%7e"),
            ("/foo;v=1/bar;w", "/foo", "/bar;w"),
            ("/;x//foo/bar", "/foo", "/bar"),
            ("/%66oo/%62ar", "/foo", "/%62ar"),
            ("/a/b/c", "/a", "/b/c"),
            ("/a/b/c", "/a/b", "/c"),
            ("/a;x//b;y/c", "/a/b", "/c"),
            ("/caf%c3%a9/x", "/caf%C3%A9", "/x"),
            ("/foo/%2F/q%3Bx", "/foo", "/%2F/q%3Bx"),
            ("/x/../foo/./y", "/foo", "/y"),
            // Not a prefix in whole segments: the path is unchanged.
            ("/foobar", "/foo", "/foobar"),
            ("/foo;v/bar", "/foo/x", "/foo;v/bar"),
            ("/%66oobar", "/foo", "/%66oobar"),
            ("/foo%2Fbar", "/foo", "/foo%2Fbar"),
        ] {
            assert_eq!(without(path, prefix).as_deref(), Ok(rest), "{path}");
        }
    }

    #[test]
    fn a_dot_segment_that_the_removed_part_hid_is_refused() {
        // An endpoint that ends the path at `%3F` reads only `/foo` of the whole, but `/..` of the rest.
        for path in ["/foo;%3F/..%3Bx", "/foo;%23/.%3Fx"] {
            let whole = RequestPath::parse(path).unwrap();
            assert_eq!(whole.check_dots(), Ok(()), "{path}");
            assert_eq!(
                without(path, "/foo"),
                Err(InvalidPath::HiddenDots),
                "{path}"
            );
        }
    }

    #[test]
    fn a_prefix_is_added_as_it_was_written() {
        for (text, prefix) in [
            ("/new", "/new"),
            ("/new/", "/new"),
            ("//a//b/", "/a//b"),
            ("/%7e%21/caf%c3%a9", "/%7e%21/caf%c3%a9"),
        ] {
            assert_eq!(normalise_added_prefix(text), Ok(prefix), "{text}");
        }
        for (text, reason) in [
            ("/", InvalidAddedPrefix::Root),
            ("/a/../b", InvalidAddedPrefix::Dots),
            ("/%2e", InvalidAddedPrefix::Dots),
            ("/a?b", InvalidRoutePath::Query.into()),
            ("/a;b", InvalidRoutePath::Parameter.into()),
            ("/a%2fb", InvalidRoutePath::Escape("%2F").into()),
            (
                "new",
                InvalidRoutePath::Path(InvalidPath::NotAbsolute).into(),
            ),
        ] {
            assert_eq!(normalise_added_prefix(text), Err(reason), "{text}");
        }
    }

    /// Returns all readings of a path that has no dot segment in any.
    fn readings(path: &RequestPath<'_>) -> Option<Vec<String>> {
        let others = path.seen.other_readings();
        let all = [(Slashes::Kept, Marks::Kept)].into_iter().chain(others);
        all.map(|(slashes, marks)| path.read(slashes, marks).ok())
            .collect()
    }

    /// A path of pieces that readers treat differently, below `/foo/bar` in a random spelling.
    fn below() -> impl Strategy<Value = String> {
        let foo = prop::sample::select(vec!["/foo", "//foo", "/%66oo", "/foo;a", "/;b/foo"]);
        let bar = prop::sample::select(vec!["/bar", "//bar", "/b%61r", "/bar;c=d"]);
        let pieces = vec![
            "/", "a", "b", ".", "..", ";", "%2F", "%5c", "%3B", "%3F", "%2e", "%20", "%41", "!",
        ];
        let rest = prop::collection::vec(prop::sample::select(pieces), 0..8);
        (foo, bar, rest).prop_map(|(foo, bar, rest)| format!("{foo}{bar}/{}", rest.concat()))
    }

    proptest! {
        #[test]
        fn an_endpoint_reads_in_the_rest_what_it_read_below_the_prefix(path in below()) {
            let Ok(whole) = RequestPath::parse(&path) else { return Ok(()) };
            let Some(read) = readings(&whole) else { return Ok(()) };
            // Dots may have led out of the prefix.
            let inside = |read: &String| read == "/foo/bar" || read.starts_with("/foo/bar/");
            prop_assume!(read.iter().all(inside));
            let rest = whole.without("/foo/bar").unwrap();
            prop_assert!(whole.forwarded().ends_with(rest));
            prop_assert_eq!(rest.starts_with("//"), false);
            let rest = if rest.is_empty() { "/" } else { rest };
            let parsed = RequestPath::parse(rest).unwrap();
            prop_assert_eq!(parsed.forwarded(), rest);
            let expected = |read: &String| match &read["/foo/bar".len()..] {
                "" => "/".to_owned(),
                rest => rest.to_owned(),
            };
            // The kept reading exactly; of the others, those that remain.
            let again = readings(&parsed).unwrap();
            prop_assert_eq!(&again[0], &expected(&read[0]));
            let whole: Vec<String> = read.iter().map(expected).collect();
            prop_assert!(again.iter().all(|read| whole.contains(read)), "{:?} {:?}", again, whole);
        }
    }
}
