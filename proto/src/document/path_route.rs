//! One route of a path, without its host.

use std::sync::Arc;

use crate::document::files::ServedFiles;
use crate::document::pools::{WeightedServers, WrittenPools};
use crate::document::redirect::RedirectTo;
use crate::document::respond::RespondTo;
use crate::document::route_keys::RouteKeys;
use crate::document::server::refuse_empty;
use crate::model::{Endpoint, Files, Redirect, Respond, RouteMatch};
use crate::place::{DocumentFault, Places};
use crate::reading::{FromYaml, Reader};
use crate::rules::Rules;
use crate::yaml::{Node, Spot, Value};

/// A path as a key of `paths` says it.
pub(crate) struct WrittenPath {
    /// The path, normalised.
    pub(crate) path: Arc<str>,
    /// `true` if it is written with a trailing slash that is not the path itself.
    pub(crate) slash: bool,
}

/// A route without its host.
pub(crate) struct PathRoute {
    /// Its position.
    pub(crate) at: Spot,
    pub(crate) matches: Option<RouteMatch>,
    pub(crate) rules: Rules,
    /// Positions of its rules.
    pub(crate) places: Places,
    pub(crate) action: PathAction,
    /// A fault at its `redirect_to` without a reason, for checks of the whole set.
    pub(crate) redirect_at: Option<DocumentFault>,
}

impl PathRoute {
    /// Reports whether it treats a request as another route does.
    pub(crate) fn does_as(&self, other: &Self) -> bool {
        self.rules == other.rules && self.action == other.action
    }
}

/// The action of such a route.
#[derive(PartialEq, Eq)]
pub(crate) enum PathAction {
    /// Forwards to these endpoints.
    Servers(Vec<Endpoint>),
    /// Forwards to the endpoints of several pools.
    Pools(Vec<WeightedServers>),
    /// Redirects.
    Redirect(Redirect),
    /// Answers itself.
    Respond(Respond),
    /// Serves a folder.
    Files(Files),
}

/// Reads a route. `at`: its position. `path`: its path, if that has no fault.
pub(crate) fn route<'t>(
    node: Node<'t>,
    at: Spot,
    path: Option<&WrittenPath>,
    reader: &mut Reader<'t>,
) -> Option<PathRoute> {
    let (keys, places) = reader.placing(|reader| RouteKeys::read(node, reader));
    let mut keys = keys?;
    let action = action(node, at, &keys, reader);
    let redirect_at = keys.redirect_to.as_ref().map(|redirect| {
        reader.under("redirect_to", |reader| {
            reader.fault_at(redirect.at, String::new())
        })
    });
    let slash = path.is_some_and(|path| path.slash);
    let matches = matches(node, &mut keys, slash, reader);
    let route = PathRoute {
        at,
        matches,
        redirect_at,
        rules: keys.rules.lower(),
        places: places.within(at.position()),
        action: action?,
    };
    if let Some(WrittenPath { path, .. }) = path {
        check_endpoint_view(node, path, &route, reader);
    }
    Some(route)
}

/// Returns the match of a route; `None` if it has none, or after a fault.
fn matches<'t>(
    node: Node<'t>,
    keys: &mut RouteKeys,
    slash: bool,
    reader: &mut Reader<'t>,
) -> Option<RouteMatch> {
    let written = node.get("match")?;
    // A value that is no map is already reported.
    let conditions = keys.conditions.take()?;
    reader.under("match", |reader| match written.value() {
        Value::Mapping(entries) if entries.is_empty() => {
            let reason = "is empty, so the route takes every request; remove it";
            reader.fault(written.at(), reason);
            None
        }
        _ => conditions.value.lower(slash, reader),
    })
}

/// The keys that are actions.
const ACTIONS: [&str; 5] = ["servers", "pools", "redirect_to", "files", "respond"];

/// Returns the one action of a route. Keys count if present, even with an invalid value, since that fault is already reported.
/// `None` after a fault.
fn action<'t>(
    node: Node<'t>,
    at: Spot,
    keys: &RouteKeys,
    reader: &mut Reader<'t>,
) -> Option<PathAction> {
    let has = |key: &&str| node.get(key).is_some();
    let named: Vec<&str> = ACTIONS.into_iter().filter(has).collect();
    match named.as_slice() {
        [] => {
            let all = ACTIONS.map(|key| format!("`{key}`")).join(", ");
            let reason = format!("expected exactly one of {all}, found none");
            reader.fault(at, reason);
            None
        }
        ["servers"] => {
            let servers = keys.servers.as_ref()?;
            refuse_empty(node, servers.at, reader)?;
            Some(PathAction::Servers(servers.value.0.clone()))
        }
        ["pools"] => {
            let WrittenPools(pools) = &keys.pools.as_ref()?.value;
            Some(PathAction::Pools(pools.clone()))
        }
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
        ["files"] => {
            let ServedFiles(files) = &keys.files.as_ref()?.value;
            Some(PathAction::Files(files.clone()))
        }
        several => {
            let several: Vec<String> = several.iter().map(|key| format!("`{key}`")).collect();
            let reason = format!(
                "has several actions, {}; a route has exactly one",
                several.join(" and ")
            );
            reader.fault(at, reason);
            None
        }
    }
}

fn redirect(keys: &RouteKeys) -> Option<PathAction> {
    let RedirectTo(redirect) = &keys.redirect_to.as_ref()?.value;
    Some(PathAction::Redirect(redirect.clone()))
}

/// Checks the keys that change what endpoints see of a request, together with the path and the action of their route.
fn check_endpoint_view<'t>(node: Node<'t>, path: &str, route: &PathRoute, reader: &mut Reader<'t>) {
    let own_answer = match route.action {
        PathAction::Servers(_) | PathAction::Pools(_) => None,
        PathAction::Redirect(_) => Some("redirect_to"),
        PathAction::Respond(_) => Some("respond"),
        PathAction::Files(_) => Some("files"),
    };
    for key in ["strip_prefix", "add_prefix", "host"] {
        let Some(value) = node.get(key) else {
            continue;
        };
        reader.under(key, |reader| {
            if let Some(action) = own_answer {
                let reason = format!(
                    "has no effect with `{action}`, which sends no request to an endpoint; remove it"
                );
                reader.fault(value.at(), reason);
            } else if key == "strip_prefix"
                && let Err(reason) = route.rules.strip_prefix.check_at(path)
            {
                reader.fault(value.at(), reason);
            } else if key == "host"
                && route.rules.host.0.is_some()
                && route.rules.request_headers.0.sets("host")
            {
                let reason = "has no effect: `server_headers` of the route sets Host too, and takes precedence";
                reader.note(value.at(), reason);
            }
        });
    }
}
