//! The paths of a host.

use std::collections::{BTreeMap, btree_map};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::document::path_route::WrittenPath;
use crate::document::path_routes::{self, PathRoutes};
use crate::matcher;
use crate::reading::{FromYaml, Reader, shown};
use crate::yaml::{Entry, Node, Value};

/// `paths`: each normalised path with its routes.
pub(crate) struct Paths(pub(crate) BTreeMap<Arc<str>, PathRoutes>);

impl FromYaml for Paths {
    const EXPECTED: &'static str = "a map of paths";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let Value::Mapping(entries) = node.value() else {
            return reader.mismatch(node, Self::EXPECTED);
        };
        if entries.is_empty() {
            reader.fault(
                node.at(),
                "has no path; a host needs at least one, such as \"/\"",
            );
            return None;
        }
        let mut paths: BTreeMap<Arc<str>, PathRoutes> = BTreeMap::new();
        for entry in entries {
            reader.under(entry.key, |reader| {
                let path = path(entry, reader);
                // Read the routes of a faulty path too, to report all faults together.
                let routes = path_routes::read(entry, path.as_ref(), reader);
                let Some(WrittenPath { path, .. }) = path else {
                    return;
                };
                match paths.entry(Arc::clone(&path)) {
                    btree_map::Entry::Vacant(place) => {
                        place.insert(routes);
                    }
                    btree_map::Entry::Occupied(mut place) => {
                        place.get_mut().join(&path, routes, reader);
                    }
                }
            });
        }
        Some(Self(paths))
    }

    fn schema() -> Json {
        json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": path_routes::schema(),
        })
    }
}

fn path(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<WrittenPath> {
    match matcher::read_route_path(entry.key) {
        Ok(path) => {
            let bare = path.strip_suffix('/').filter(|bare| !bare.is_empty());
            Some(WrittenPath {
                path: bare.unwrap_or(&path).into(),
                slash: bare.is_some(),
            })
        }
        Err(reason) => {
            let reason = format!("`{}` is not a path: {reason}", shown(entry.key));
            reader.fault(entry.at, reason);
            None
        }
    }
}
