//! The paths of a host with their routes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::document::redirect::RedirectTo;
use crate::document::route_keys::RouteKeys;
use crate::matcher;
use crate::model::{Endpoint, Redirect};
use crate::place::Places;
use crate::reading::{FromYaml, Reader, shown};
use crate::rules::Rules;
use crate::yaml::{Entry, Node, Spot, Value};

/// `paths`: each normalised path with its route and its position.
pub(crate) struct Paths(pub(crate) BTreeMap<Arc<str>, (PathRoute, Spot)>);

/// A route without its host.
pub(crate) struct PathRoute {
    pub(crate) rules: Rules,
    /// Positions of its rules.
    pub(crate) places: Places,
    pub(crate) action: PathAction,
}

/// The action of such a route.
pub(crate) enum PathAction {
    /// Forwards to these endpoints.
    Servers(Vec<Endpoint>),
    /// Redirects.
    Redirect(Redirect),
}

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
        let mut paths = BTreeMap::new();
        let mut seen: BTreeMap<Arc<str>, Spot> = BTreeMap::new();
        for entry in entries {
            reader.under(entry.key, |reader| {
                let path = path(entry, reader);
                // Read the route of a faulty path too, to report all faults together.
                let route = route(entry, reader);
                let Some(path) = path else { return };
                if let Some(first) = seen.insert(Arc::clone(&path), entry.at) {
                    let reason = format!("duplicate path `{path}`, already defined at {first}");
                    reader.fault(entry.at, reason);
                }
                if let Some(route) = route {
                    paths.insert(path, (route, entry.at));
                }
            });
        }
        Some(Self(paths))
    }

    fn schema() -> Json {
        json!({
            "type": "object",
            "minProperties": 1,
            "additionalProperties": { "$ref": "#/$defs/route" },
        })
    }
}

fn path(entry: Entry<'_>, reader: &mut Reader<'_>) -> Option<Arc<str>> {
    match matcher::normalise_route_path(entry.key) {
        Ok(path) => Some(path.as_ref().into()),
        Err(reason) => {
            let reason = format!("`{}` is not a path: {reason}", shown(entry.key));
            reader.fault(entry.at, reason);
            None
        }
    }
}

fn route<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<PathRoute> {
    if let Value::Sequence(_) = entry.value.value() {
        let reason =
            "a list of routes (`match`) is not supported in this release; use a single route";
        reader.fault(entry.value.at(), reason);
        return None;
    }
    let (keys, places) = reader.placing(|reader| RouteKeys::read(entry.value, reader));
    let keys = keys?;
    let action = action(entry, &keys, reader);
    Some(PathRoute {
        rules: keys.rules.lower(),
        places,
        action: action?,
    })
}

/// Returns the one action of a route. Keys count if present, even with an invalid value, since that fault is already reported.
/// `None` after a fault.
fn action<'t>(entry: Entry<'t>, keys: &RouteKeys, reader: &mut Reader<'t>) -> Option<PathAction> {
    let has = |key: &str| entry.value.get(key).is_some();
    // Another action, already refused as not enforced.
    if (has("pools") && keys.pools.is_none()) || (has("respond") && keys.respond.is_none()) {
        return None;
    }
    match (has("servers"), has("redirect_to"), has("files")) {
        (false, false, false) => {
            reader.fault(
                entry.at,
                "expected exactly one of `servers`, `redirect_to`, `files`, found none",
            );
            None
        }
        (servers, redirect, true) if servers || redirect => {
            reader.fault(
                entry.at,
                "`files` cannot be combined with `servers` or `redirect_to`",
            );
            None
        }
        (servers, true, false) => {
            let RedirectTo(redirect) = &keys.redirect_to.as_ref()?.value;
            if let Some(dummies) = keys.servers.as_ref().filter(|_| servers) {
                reader.under("servers", |reader| {
                    reader.note(dummies.at, "has no effect with `redirect_to`; remove it");
                });
            }
            Some(PathAction::Redirect(redirect.clone()))
        }
        _ => {
            let servers = keys.servers.as_ref()?;
            let Some(Value::Sequence(written)) = entry.value.get("servers").map(Node::value) else {
                return None;
            };
            if written.is_empty() {
                reader.under("servers", |reader| {
                    reader.fault(servers.at, "is empty; a route needs at least one server");
                });
            }
            Some(PathAction::Servers(servers.value.0.clone()))
        }
    }
}
