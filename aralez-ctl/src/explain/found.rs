//! The host and the route that were found for a request.

use aralez_decision::table::CompiledRoute;
use aralez_proto::document::AuthoredHost;
use aralez_proto::matcher::{HostIndex, normalise_host};
use aralez_proto::model::{Action, HostPattern, MatchedPath, RouteMatch, ValueMatch};
use serde::Serialize;

use super::masking;
use crate::configuration::{Configuration, Place};

/// The host that serves a request.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(super) struct HostFound {
    /// Its pattern.
    pub(super) host: String,
    /// `exact`, `wildcard` or `default`.
    pub(super) matched: &'static str,
    /// The place of its key.
    pub(super) place: Option<Place>,
}

/// The route of a request.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(crate) struct RouteFound {
    /// Its path.
    pub(crate) path: String,
    /// Its conditions besides the path; empty if it has none.
    #[serde(rename = "match")]
    pub(crate) conditions: Vec<String>,
    /// Its position among the routes of the path, counted from 1.
    pub(crate) number: usize,
    /// The number of routes of the path.
    pub(crate) of: usize,
    /// `servers`, `pools`, `redirect_to`, `respond` or `files`.
    pub(crate) action: &'static str,
    /// The place of its key, or of its element of a list.
    pub(crate) place: Option<Place>,
}

/// Returns the host of a pattern.
pub(super) fn host(configuration: &Configuration, pattern: &HostPattern) -> HostFound {
    let host = configuration.host(pattern);
    HostFound {
        host: pattern.to_string(),
        matched: match pattern {
            HostPattern::Exact(_) => "exact",
            HostPattern::Suffix(_) => "wildcard",
            HostPattern::CatchAll => "default",
        },
        place: host.and_then(|host| {
            let position = host.places.scope()?;
            Some(configuration.place_in(host, position))
        }),
    }
}

/// Returns a note about a host that serves other groups only, and that would be found otherwise.
pub(super) fn elsewhere(configuration: &Configuration, name: Option<&str>) -> Option<String> {
    let mut all = HostIndex::default();
    for host in &configuration.authored.hosts {
        all.insert(&host.host.pattern, host);
    }
    let name = normalise_host(name?).ok()?;
    let host = all.lookup(&name)?;
    let here = host.serves(Some(&configuration.group));
    let groups: Vec<String> = host.groups.iter().map(ToString::to_string).collect();
    (!here).then(|| {
        format!(
            "host {} is served by nodes of other groups only: {} (--group shows them)",
            host.host.pattern,
            groups.join(", ")
        )
    })
}

/// Returns the authored host of a compiled route, and the index of the route among the host's.
pub(crate) fn authored<'a>(
    configuration: &'a Configuration,
    route: &CompiledRoute,
) -> Option<(&'a AuthoredHost, usize)> {
    let host = configuration.host(&route.host)?;
    let mut routes = host.host.routes.iter();
    let is_it =
        |one: &aralez_proto::model::Route| one.path == route.path && one.matches == route.matches;
    Some((host, routes.position(is_it)?))
}

/// Returns a route of a host, by its index.
pub(crate) fn route(
    configuration: &Configuration,
    (host, index): (&AuthoredHost, usize),
) -> Option<RouteFound> {
    let routes = &host.host.routes;
    let route = routes.get(index)?;
    let of_path = |one: &&aralez_proto::model::Route| one.path == route.path;
    let position = host
        .route_places
        .get(index)
        .and_then(|places| places.scope());
    let conditions = route.matches.as_deref().map(conditions);
    Some(RouteFound {
        path: route.path.to_string(),
        conditions: conditions.unwrap_or_default(),
        number: routes[..=index].iter().filter(of_path).count(),
        of: routes.iter().filter(of_path).count(),
        action: match route.action {
            Action::Pool(_) => "servers",
            Action::Split(_) => "pools",
            Action::Redirect(_) => "redirect_to",
            Action::Respond(_) => "respond",
            Action::Files(_) => "files",
        },
        place: position.map(|position| configuration.place_in(host, position)),
    })
}

/// Returns the conditions of a match as text. Values that may be secrets are hidden.
fn conditions(matches: &RouteMatch) -> Vec<String> {
    let path = match matches.path {
        MatchedPath::Prefix => None,
        MatchedPath::Exact => Some("exact path".to_owned()),
        MatchedPath::ExactWithSlash => Some("exact path with a trailing slash".to_owned()),
    };
    let methods: Vec<&str> = matches
        .methods
        .iter()
        .map(|method| method.as_str())
        .collect();
    let methods = (!methods.is_empty()).then(|| format!("method {}", methods.join(" or ")));
    let headers = matches.headers.iter().map(|header| {
        let shown = |text: &str| masking::value(&header.name, text.as_bytes());
        match &header.value {
            ValueMatch::Equal(text) => format!("header {} is {}", header.name, shown(text)),
            ValueMatch::Regex(regex) => {
                format!("header {} matches {}", header.name, shown(regex.as_str()))
            }
        }
    });
    let query = matches.query.iter().map(|parameter| {
        let value = masking::value(&parameter.name, parameter.value.as_bytes());
        format!("query {} is {value}", parameter.name)
    });
    let first = path.into_iter().chain(methods);
    first.chain(headers).chain(query).collect()
}
