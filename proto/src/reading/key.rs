//! Keys and where they may stand.

use serde_json::Value as Json;

/// A key that a map may have.
#[derive(Clone, Copy)]
pub(crate) struct Key {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its older and other names.
    pub(crate) aliases: &'static [&'static str],
    /// What it means.
    pub(crate) about: &'static [&'static str],
    /// What holds where it is not written, where that is one value.
    pub(crate) default: Option<&'static str>,
    /// The JSON Schema of its value.
    pub(crate) schema: fn() -> Json,
}

impl Key {
    /// The name and the other names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// What it means, with its default.
    pub(crate) fn says(&self) -> String {
        let mut says = self.about.concat().trim().to_owned();
        if let Some(default) = self.default {
            says.push_str(" Default: ");
            says.push_str(default);
            says.push('.');
        }
        says
    }

    /// Whether this is one of its names.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }
}

/// Maps whose keys people put into one another: each with where its keys stand, as in "at a path".
pub(crate) type Scopes = &'static [(&'static str, fn() -> Vec<Key>)];
