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
    /// The JSON Schema of its value.
    pub(crate) schema: fn() -> Json,
}

impl Key {
    /// The name and the other names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    /// Whether this is one of its names.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }
}

/// Maps whose keys people put into one another: each with where its keys stand, as in "at a path".
pub(crate) type Scopes = &'static [(&'static str, fn() -> Vec<Key>)];
