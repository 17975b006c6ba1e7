//! The path and query of a request, as forwarded to the endpoint.

use std::borrow::Cow;
use std::ops::Range;

use aralez_proto::matcher::Scheme;

/// The path and query to forward. Mostly they are a part of the received target and are kept as a range of it, so that they outlive the
/// view of the request without a copy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ForwardedTarget {
    /// A range of the received target.
    Kept(Range<usize>),
    /// A text of its own, because the target was normalised (dot segments, for example).
    Rewritten(Box<str>),
}

impl ForwardedTarget {
    /// Keeps `forwarded` as a range if it is a slice of the received target `came`, and copies it otherwise.
    pub fn new(came: &str, forwarded: Cow<'_, str>) -> Self {
        let start = forwarded.as_ptr().addr().wrapping_sub(came.as_ptr().addr());
        let place = start..start.wrapping_add(forwarded.len());
        if came.get(place.clone()) == Some(&*forwarded) {
            return Self::Kept(place);
        }
        Self::Rewritten(forwarded.into_owned().into())
    }

    /// Returns the text to forward. `came` is the received target.
    pub fn text<'a>(&'a self, came: &'a str) -> &'a str {
        match self {
            Self::Kept(place) => came.get(place.clone()).unwrap_or_default(),
            Self::Rewritten(text) => text,
        }
    }
}

/// Reports whether a target is absolute, and has neither path nor query.
pub(super) fn is_bare(target: &str) -> bool {
    let authority = Scheme::split(target).map(|(_, rest)| rest);
    authority.is_some_and(|rest| !rest.contains(['/', '?']))
}

#[cfg(test)]
mod tests {
    use aralez_proto::matcher::Target;

    use super::*;

    #[test]
    fn what_stands_in_the_target_is_kept_as_a_place_and_all_else_as_text() {
        for (came, goes, kept) in [
            ("/x?y", "/x?y", true),
            ("//x", "/x", true),
            ("http://a.example/x?y", "/x?y", true),
            ("http://a.example", "/", false),
            ("/a/../b?c", "/b?c", false),
        ] {
            let target = Target::parse(came).unwrap();
            let forwarded = ForwardedTarget::new(came, target.path_and_query());
            assert_eq!(forwarded.text(came), goes, "{came}");
            let is_kept = matches!(forwarded, ForwardedTarget::Kept(_));
            assert_eq!(is_kept, kept, "{came}");
        }
    }
}
