//! The hosts of one document.

use std::sync::Arc;

use crate::document::keys::{GlobalKeys, HostKeys, is_global};
use crate::document::path_route::{PathAction, PathRoute};
use crate::document::{AuthoredHost, AuthoredPool, DocumentSet};
use crate::model::{
    Action, Endpoint, HostPattern, Pool, PoolName, Route, Split, VirtualHost, WeightedPool,
};
use crate::place::DocumentFault;
use crate::reading::{FromYaml, KeyMatch, KeySet, Reader, nearest, unknown_reason};
use crate::yaml::{Entry, Node, Spot, Value};

/// A host as one document defines it.
pub(crate) struct HostEntry<'t> {
    pub(crate) host: AuthoredHost,
    /// `true` if it may redefine a host of another document.
    pub(crate) overrides: bool,
    /// By index of the route, a fault at its `redirect_to` without a reason.
    pub(crate) redirects: Vec<(usize, DocumentFault)>,
    /// Its key as written.
    pub(crate) key: &'t str,
    /// Position of the key.
    pub(crate) at: Spot,
    /// `true` if it is listed under `upstreams`.
    pub(crate) wrapped: bool,
}

/// Reads a document: its global keys and its hosts, in both layouts.
pub(crate) fn document<'t>(
    root: Node<'t>,
    reader: &mut Reader<'t>,
) -> (GlobalKeys, Vec<HostEntry<'t>>) {
    let mut globals = GlobalKeys::default();
    let mut hosts = Vec::new();
    let Value::Mapping(entries) = root.value() else {
        reader.mismatch::<()>(root, "a map of keys and hosts");
        return (globals, hosts);
    };
    for entry in entries {
        reader.under(entry.key, |reader| {
            if entry.value.get("paths").is_some() {
                if is_extension(entry.key) {
                    let reason =
                        "is read as a host because it has `paths`; other `x-` keys only define anchors";
                    reader.note(entry.at, reason);
                }
                hosts.extend(host(entry, false, reader));
            } else if is_extension(entry.key) {
                // The YAML parser has read its anchors already.
            } else if entry.key == "upstreams" {
                wrapped(entry.value, reader, &mut hosts);
            } else {
                global(&mut globals, entry, reader);
            }
        });
    }
    (globals, hosts)
}

/// Reports whether a top-level key only holds anchors. Its value may be anything.
fn is_extension(key: &str) -> bool {
    key.starts_with("x-")
}

fn wrapped<'t>(node: Node<'t>, reader: &mut Reader<'t>, hosts: &mut Vec<HostEntry<'t>>) {
    let Value::Mapping(entries) = node.value() else {
        reader.mismatch::<()>(node, "a map of hosts");
        return;
    };
    for entry in entries {
        reader.under(entry.key, |reader| hosts.extend(host(entry, true, reader)));
    }
}

fn global<'t>(globals: &mut GlobalKeys, entry: Entry<'t>, reader: &mut Reader<'t>) {
    if reader.file() != DocumentSet::MAIN && is_global(entry.key) {
        let reason = format!(
            "belongs in {}; files in conf.d contain only hosts",
            DocumentSet::MAIN
        );
        reader.fault(entry.at, reason);
        return;
    }
    if let KeyMatch::Taken = globals.take(entry.key, entry.value, reader) {
        return;
    }
    if let Some(misspelt) = misspelt_paths(entry.value) {
        reader.under(misspelt.key, |reader| {
            let scopes = reader.scopes;
            reader.fault_with(misspelt.at, || {
                unknown_reason::<HostKeys>(misspelt.key, scopes)
            });
        });
        return;
    }
    let scopes = reader.scopes;
    reader.fault_with(entry.at, || {
        let mut reason = unknown_reason::<GlobalKeys>(entry.key, scopes);
        let host_like = matches!(entry.value.value(), Value::Mapping(_)) || entry.key.contains('.');
        if host_like {
            reason.push_str("; a host is a map with `paths`");
        }
        reason
    });
}

/// Returns the entry of a map whose key was meant to be `paths`.
fn misspelt_paths(value: Node<'_>) -> Option<Entry<'_>> {
    let Value::Mapping(mut entries) = value.value() else {
        return None;
    };
    entries.find(|entry| nearest(entry.key, std::iter::once("paths")).is_some())
}

fn host<'t>(entry: Entry<'t>, wrapped: bool, reader: &mut Reader<'t>) -> Option<HostEntry<'t>> {
    let pattern = entry
        .key
        .parse::<HostPattern>()
        .map_err(|error| reader.fault(entry.at, error.to_string()))
        .ok();
    let (keys, places) = reader.placing(|reader| HostKeys::read(entry.value, reader));
    let keys = keys?;
    if entry.value.get("paths").is_none() {
        reader.fault(entry.at, "a host needs `paths`");
    }
    let pattern = pattern?;
    let (mut pools, mut routes, mut route_places) = (Vec::new(), Vec::new(), Vec::new());
    let mut redirects = Vec::new();
    for (path, written) in keys.paths.map(|paths| paths.value.0).unwrap_or_default() {
        for mut route in written.routes {
            route_places.push(std::mem::take(&mut route.places));
            let redirect_at = route.redirect_at.take();
            redirects.extend(redirect_at.map(|at| (routes.len(), at)));
            routes.push(lower(&pattern, &path, route, &mut pools));
        }
    }
    let host = VirtualHost {
        rules: keys.rules.lower(),
        routes,
        pattern,
    };
    let groups = keys.groups.map(|groups| groups.value.0).unwrap_or_default();
    Some(HostEntry {
        host: AuthoredHost {
            groups,
            host,
            places: places.within(entry.at.position()),
            route_places,
            pools,
            document: reader.file().into(),
        },
        overrides: keys.overrides.is_some_and(|overrides| overrides.value),
        redirects,
        key: entry.key,
        at: entry.at,
        wrapped,
    })
}

/// Returns the route under its host, and adds the pools that it names to `pools`.
fn lower(
    pattern: &HostPattern,
    path: &Arc<str>,
    route: PathRoute,
    pools: &mut Vec<AuthoredPool>,
) -> Route {
    let mut name = PoolName::of_route(pattern, path);
    if let Some(matches) = &route.matches {
        name = name.of_match(matches);
    }
    let mut named = |name: PoolName, endpoints: Vec<Endpoint>| {
        pools.push(AuthoredPool {
            name: name.clone(),
            pool: Pool::default(),
            endpoints,
        });
        name
    };
    let action = match route.action {
        PathAction::Redirect(redirect) => Action::Redirect(redirect),
        PathAction::Respond(respond) => Action::Respond(respond),
        PathAction::Files(files) => Action::Files(files),
        PathAction::Servers(endpoints) => Action::Pool(named(name, endpoints)),
        PathAction::Pools(shares) => {
            let pools = (1..).zip(shares).map(|(number, share)| WeightedPool {
                weight: share.weight,
                pool: named(name.numbered(number), share.servers),
            });
            let split = Split::new(pools.collect());
            Action::Split(Box::new(split.expect("weights are checked when read")))
        }
    };
    Route {
        path: Arc::clone(path),
        matches: route.matches.map(Arc::new),
        rules: route.rules,
        action,
    }
}
