//! Keys and the maps that they belong to.

use serde_json::Value as Json;

/// A key that a map may have.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its older and alternative names.
    pub(crate) aliases: &'static [&'static str],
    /// Its meaning.
    pub(crate) about: &'static [&'static str],
    /// Its default, if that is a single value.
    pub(crate) default: Option<&'static str>,
    /// The expected form of its value, as in "expected …".
    pub(crate) expected: &'static str,
    /// What this release does with its value.
    pub(crate) support: Support,
    /// The JSON Schema of its value.
    pub(crate) schema: fn() -> Json,
}

/// What this release does with the value of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Support {
    /// It obeys it.
    Obeyed,
    /// It accepts it without effect.
    Idle,
    /// It refuses a value that turns the feature on.
    Refused,
}

impl Support {
    /// Returns the remark on a key. `None` if there is none.
    pub(crate) const fn remark(self) -> Option<&'static str> {
        match self {
            Self::Obeyed => None,
            Self::Idle => Some("Has no effect in this release."),
            Self::Refused => {
                Some("Not in this release: a value that turns the feature on is refused.")
            }
        }
    }
}

impl Key {
    /// Returns the name and the alternative names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Returns the meaning, with the default.
    pub(crate) fn says(&self) -> String {
        let mut says = self.about.concat().trim().to_owned();
        if let Some(default) = self.default {
            says.push_str(" Default: ");
            says.push_str(default);
            says.push('.');
        }
        says
    }

    /// Reports whether this is one of its names.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }
}

/// Maps whose keys users confuse, each with its scope, as in "at a path".
pub(crate) type Scopes = &'static [(&'static str, fn() -> Vec<Key>)];
