//! `add_prefix`: what is put before the paths that endpoints see.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::matcher::normalise_added_prefix;
use crate::reading::{FromYaml, Reader, parsed_quoting};
use crate::rules::Rule;
use crate::yaml::Node;

/// Feature of `add_prefix`. A proxy without it would send other paths to endpoints.
const ADD_PREFIX: u32 = 16;

/// The prefix that is added to the paths of requests: begins with one slash and ends with none. `None` if the scope does not set it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AddPrefix(pub Option<Arc<str>>);

/// The prefix as written.
pub(crate) struct WrittenAddPrefix(Arc<str>);

impl FromYaml for WrittenAddPrefix {
    const EXPECTED: &'static str = "a path such as /app";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let prefix = parsed_quoting(node, reader, Self::EXPECTED, normalise_added_prefix);
        prefix.map(|prefix| Self(prefix.into()))
    }

    fn schema() -> Json {
        super::path_schema()
    }
}

impl Rule for AddPrefix {
    type Keys = WrittenAddPrefix;
    type Wire = String;
    const FEATURES: &'static [u32] = &[ADD_PREFIX];

    fn lower(keys: Self::Keys) -> Self {
        Self(Some(keys.0))
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        Self(narrower.0.clone().or_else(|| self.0.clone()))
    }

    fn needs(&self) -> &'static [u32] {
        self.0.as_ref().map_or(&[], |_| &[ADD_PREFIX])
    }

    fn encode(&self) -> Option<String> {
        self.0.as_deref().map(str::to_owned)
    }

    fn decode(wire: String, wrong: &mut dyn FnMut(String)) -> Self {
        match normalise_added_prefix(&wire) {
            Ok(prefix) if prefix == wire => return Self(Some(prefix.into())),
            Ok(prefix) => wrong(format!("{wire:?} is not normalised, expected {prefix}")),
            Err(reason) => wrong(format!("{wire:?} {reason}")),
        }
        Self(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_read_back_and_anything_else_is_named() {
        let add = AddPrefix(Some("/a/%7e".into()));
        let mut wrong = Vec::new();
        let mut decode =
            |text: &str| AddPrefix::decode(text.to_owned(), &mut |reason| wrong.push(reason));
        assert_eq!(decode(&add.encode().unwrap()), add);
        for bad in ["/a/", "//a", "/", "a", "/a/../b", "/a?b"] {
            decode(bad);
        }
        assert_eq!(wrong.len(), 6, "{wrong:?}");
    }
}
