//! The path that endpoints see instead of the forwarded one: `strip_prefix`, then `add_prefix`.

use std::borrow::Cow;
use std::sync::Arc;

use aralez_proto::matcher::{InvalidPath, Target};
use aralez_proto::rules::Rules;

/// The change of a path on its way to endpoints. Policies and logs see the path before it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathEdit {
    strip: Option<Arc<str>>,
    add: Option<Arc<str>>,
}

impl PathEdit {
    /// Returns the change that rules ask for; `None` if they ask for none.
    pub fn of(rules: &Rules) -> Option<Self> {
        let edit = Self {
            strip: rules.strip_prefix.0.clone(),
            add: rules.add_prefix.0.clone(),
        };
        (edit.strip.is_some() || edit.add.is_some()).then_some(edit)
    }

    /// Returns the path and query for an endpoint. The query and what remains of the path stay as received. A path of which nothing remains
    /// is the added prefix, or `/`. Allocates unless the result is a part of the received target.
    ///
    /// # Errors
    /// [`InvalidPath`] if endpoints could read the rest of a stripped path differently.
    pub fn apply<'a>(&self, target: &Target<'a>) -> Result<Cow<'a, str>, InvalidPath> {
        let path = target.path();
        let rest = match &self.strip {
            Some(prefix) => path.without(prefix)?,
            None => path.forwarded(),
        };
        let stripped = path.forwarded().len() - rest.len();
        let add = match self.add.as_deref() {
            Some(add) => add,
            None if rest.is_empty() => "/",
            None => "",
        };
        let whole = target.path_and_query();
        Ok(match whole {
            Cow::Borrowed(whole) if add.is_empty() => Cow::Borrowed(&whole[stripped..]),
            whole => Cow::Owned(format!("{add}{}", &whole[stripped..])),
        })
    }
}

#[cfg(test)]
mod tests {
    use aralez_proto::rules::{AddPrefix, StripPrefix};

    use super::*;

    fn edit(strip: Option<&str>, add: Option<&str>) -> PathEdit {
        let rules = Rules {
            strip_prefix: StripPrefix(strip.map(Arc::from)),
            add_prefix: AddPrefix(add.map(Arc::from)),
            ..Rules::default()
        };
        PathEdit::of(&rules).expect("a change")
    }

    #[test]
    fn a_prefix_is_stripped_before_another_is_added_and_the_query_is_kept() {
        let (foo, new) = (Some("/foo"), Some("/new"));
        for (strip, add, came, goes) in [
            (foo, None, "/foo/a?b=/foo", "/a?b=/foo"),
            (foo, None, "/foo", "/"),
            (foo, None, "/foo?a", "/?a"),
            (foo, None, "/foo/?a", "/?a"),
            (foo, None, "//foo;x//a", "/a"),
            (foo, None, "/x/../foo/a?b", "/a?b"),
            (foo, None, "http://a.example/foo/a?b", "/a?b"),
            (None, new, "/foo/a?b", "/new/foo/a?b"),
            (None, new, "/", "/new/"),
            (None, new, "http://a.example?b", "/new/?b"),
            (foo, new, "/foo/a?b", "/new/a?b"),
            (foo, new, "/foo?b", "/new?b"),
            (foo, new, "/foo/", "/new/"),
        ] {
            let target = Target::parse(came).unwrap();
            let path = edit(strip, add).apply(&target).unwrap();
            assert_eq!(path, goes, "{came}");
        }
    }

    #[test]
    fn a_stripped_path_is_a_part_of_the_received_target() {
        for came in ["/foo/a?b", "http://a.example//foo;x/a"] {
            let target = Target::parse(came).unwrap();
            let path = edit(Some("/foo"), None).apply(&target).unwrap();
            assert!(matches!(path, Cow::Borrowed(_)), "{came}");
        }
    }

    #[test]
    fn rules_that_change_no_path_cost_nothing() {
        assert_eq!(PathEdit::of(&Rules::default()), None);
    }
}
