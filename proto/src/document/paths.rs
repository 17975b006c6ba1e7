//! The paths of a host with their routes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::document::redirect::RedirectTo;
use crate::document::respond::RespondTo;
use crate::document::route_keys::RouteKeys;
use crate::matcher;
use crate::model::{Endpoint, Redirect, Respond};
use crate::place::{DocumentFault, Places};
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
    /// A fault at its `redirect_to` without a reason, for checks of the whole set.
    pub(crate) redirect_at: Option<DocumentFault>,
}

/// The action of such a route.
pub(crate) enum PathAction {
    /// Forwards to these endpoints.
    Servers(Vec<Endpoint>),
    /// Redirects.
    Redirect(Redirect),
    /// Answers itself.
    Respond(Respond),
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
                    check_endpoint_view(entry, &path, &route, reader);
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
    let redirect_at = keys.redirect_to.as_ref().map(|redirect| {
        reader.under("redirect_to", |reader| {
            reader.fault_at(redirect.at, String::new())
        })
    });
    Some(PathRoute {
        redirect_at,
        rules: keys.rules.lower(),
        places,
        action: action?,
    })
}

/// The keys that are actions.
const ACTIONS: [&str; 5] = ["servers", "pools", "redirect_to", "files", "respond"];

/// Returns the one action of a route. Keys count if present, even with an invalid value, since that fault is already reported.
/// `None` after a fault.
fn action<'t>(entry: Entry<'t>, keys: &RouteKeys, reader: &mut Reader<'t>) -> Option<PathAction> {
    let has = |key: &&str| entry.value.get(key).is_some();
    // Another action, already refused as not enforced.
    if has(&"pools") && keys.pools.is_none() {
        return None;
    }
    // `pools` that are accepted are an empty list.
    let named = ACTIONS.into_iter().filter(has);
    let named: Vec<&str> = named.filter(|key| *key != "pools").collect();
    match named.as_slice() {
        [] => {
            let all = ACTIONS.map(|key| format!("`{key}`")).join(", ");
            let reason = format!("expected exactly one of {all}, found none");
            reader.fault(entry.at, reason);
            None
        }
        ["servers"] => servers(entry, keys, reader),
        ["redirect_to"] => redirect(keys),
        ["servers", "redirect_to"] => {
            if let Some(dummies) = &keys.servers {
                reader.under("servers", |reader| {
                    reader.note(dummies.at, "has no effect with `redirect_to`; remove it");
                });
            }
            redirect(keys)
        }
        ["respond"] => {
            let RespondTo(respond) = &keys.respond.as_ref()?.value;
            Some(PathAction::Respond(respond.clone()))
        }
        // `files`, already refused as not enforced.
        [_] => None,
        several => {
            let several: Vec<String> = several.iter().map(|key| format!("`{key}`")).collect();
            let reason = format!(
                "has several actions, {}; a route has exactly one",
                several.join(" and ")
            );
            reader.fault(entry.at, reason);
            None
        }
    }
}

fn redirect(keys: &RouteKeys) -> Option<PathAction> {
    let RedirectTo(redirect) = &keys.redirect_to.as_ref()?.value;
    Some(PathAction::Redirect(redirect.clone()))
}

fn servers<'t>(entry: Entry<'t>, keys: &RouteKeys, reader: &mut Reader<'t>) -> Option<PathAction> {
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

/// Checks the keys that change what endpoints see of a request, together with the path and the action of their route.
fn check_endpoint_view<'t>(
    entry: Entry<'t>,
    path: &str,
    route: &PathRoute,
    reader: &mut Reader<'t>,
) {
    let own_answer = match route.action {
        PathAction::Servers(_) => None,
        PathAction::Redirect(_) => Some("redirect_to"),
        PathAction::Respond(_) => Some("respond"),
    };
    for key in ["strip_prefix", "add_prefix", "host"] {
        let Some(node) = entry.value.get(key) else {
            continue;
        };
        reader.under(key, |reader| {
            if let Some(action) = own_answer {
                let reason = format!(
                    "has no effect with `{action}`, which sends no request to an endpoint; remove it"
                );
                reader.fault(node.at(), reason);
            } else if key == "strip_prefix"
                && let Err(reason) = route.rules.strip_prefix.check_at(path)
            {
                reader.fault(node.at(), reason);
            } else if key == "host"
                && route.rules.host.0.is_some()
                && route.rules.request_headers.0.sets("host")
            {
                let reason = "has no effect: `server_headers` of the route sets Host too, and takes precedence";
                reader.note(node.at(), reason);
            }
        });
    }
}
