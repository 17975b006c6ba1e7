//! `strip_prefix`: a part of the route's path that endpoints do not see.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::matcher::normalise_route_path;
use crate::reading::{FromYaml, Reader, parsed_quoting};
use crate::rules::Rule;
use crate::yaml::Node;

/// Feature of `strip_prefix`. A proxy without it would send other paths to endpoints.
const STRIP_PREFIX: u32 = 15;

/// The prefix that is removed from the paths of requests, in the form of a route's path. `None` if the scope does not set it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StripPrefix(pub Option<Arc<str>>);

impl StripPrefix {
    /// Checks that requests for the route of this path begin with the prefix: otherwise it would be removed from none.
    ///
    /// # Errors
    /// The reason, with the nearest prefix that has an effect.
    pub(crate) fn check_at(&self, path: &str) -> Result<(), String> {
        let Some(prefix) = self.0.as_deref() else {
            return Ok(());
        };
        let after = path.strip_prefix(prefix);
        if after.is_some_and(|after| after.is_empty() || after.starts_with('/')) {
            return Ok(());
        }
        let nearest = match path {
            "/" => format!("set it at a route `{prefix}`"),
            _ => format!("did you mean `{path}`?"),
        };
        Err(format!(
            "`{prefix}` is not a prefix of the route's path `{path}` in whole segments ({nearest})"
        ))
    }
}

/// The prefix as written.
pub(crate) struct WrittenStripPrefix(Arc<str>);

impl FromYaml for WrittenStripPrefix {
    const EXPECTED: &'static str = "a path such as /app";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        parsed_quoting(node, reader, Self::EXPECTED, prefix).map(Self)
    }

    fn schema() -> Json {
        super::path_schema()
    }
}

fn prefix(text: &str) -> Result<Arc<str>, String> {
    match normalise_route_path(text) {
        Ok(path) if path == "/" => Err("removes nothing; remove the key".to_owned()),
        Ok(path) => Ok(path.as_ref().into()),
        Err(reason) => Err(reason.to_string()),
    }
}

impl Rule for StripPrefix {
    type Keys = WrittenStripPrefix;
    type Wire = String;
    const FEATURES: &'static [u32] = &[STRIP_PREFIX];

    fn lower(keys: Self::Keys) -> Self {
        Self(Some(keys.0))
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        Self(narrower.0.clone().or_else(|| self.0.clone()))
    }

    fn needs(&self) -> &'static [u32] {
        self.0.as_ref().map_or(&[], |_| &[STRIP_PREFIX])
    }

    fn encode(&self) -> Option<String> {
        self.0.as_deref().map(str::to_owned)
    }

    fn decode(wire: String, wrong: &mut dyn FnMut(String)) -> Self {
        match prefix(&wire) {
            Ok(prefix) if *prefix == *wire => Self(Some(prefix)),
            Ok(prefix) => {
                wrong(format!("{wire:?} is not normalised, expected {prefix}"));
                Self(None)
            }
            Err(reason) => {
                wrong(format!("{wire:?} {reason}"));
                Self(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_that_no_request_for_the_route_has_is_refused() {
        let strip = StripPrefix(Some("/a/b".into()));
        for path in ["/a/b", "/a/b/c"] {
            assert_eq!(strip.check_at(path), Ok(()), "{path}");
        }
        for path in ["/", "/a", "/a/bc", "/b"] {
            let reason = strip.check_at(path).unwrap_err();
            assert!(reason.contains("`/a/b` is not a prefix"), "{reason}");
        }
        assert_eq!(StripPrefix(None).check_at("/"), Ok(()));
    }

    #[test]
    fn what_is_sent_is_read_back_and_anything_else_is_named() {
        let strip = StripPrefix(Some("/a".into()));
        let mut wrong = Vec::new();
        let mut decode =
            |text: &str| StripPrefix::decode(text.to_owned(), &mut |reason| wrong.push(reason));
        assert_eq!(decode(&strip.encode().unwrap()), strip);
        for bad in ["/a/", "/", "a", "/a;b", ""] {
            decode(bad);
        }
        assert_eq!(wrong.len(), 5, "{wrong:?}");
    }
}
