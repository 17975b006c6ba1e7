//! `routes`: every route of a configuration.

use aralez_decision::policy::Policy;
use aralez_decision::table::CompiledRoute;
use serde::Serialize;
use serde_json::json;

use crate::args::{Global, Routes};
use crate::configuration::Configuration;
use crate::exit::Failure;
use crate::explain::found::{self, RouteFound};
use crate::{output, table};

/// A route with what it does.
#[derive(Serialize, Debug)]
struct RouteShown {
    host: String,
    #[serde(flatten)]
    route: RouteFound,
    /// The names of its policies, in their order.
    policies: Vec<&'static str>,
    /// The number of its endpoints.
    endpoints: usize,
}

/// Runs the verb.
pub(crate) async fn run(global: &Global, asked: &Routes) -> Result<(), Failure> {
    let configuration = Configuration::load(global, &asked.documents).await?;
    let routes = all(&configuration);
    let value = json!({
        "version": 1,
        "documents": configuration.origin,
        "group": configuration.group.as_str(),
        "routes": routes,
    });
    output::print(global.output, &value, &rendered(&routes))
}

/// Returns all routes, by host and path; those of one path in the order in which they are tried.
fn all(configuration: &Configuration) -> Vec<RouteShown> {
    let mut hosts: Vec<_> = configuration.table.hosts().collect();
    hosts.sort_by_key(|host| host.pattern.clone());
    let routes = hosts.into_iter().flat_map(|host| host.routes());
    routes
        .filter_map(|route| shown(configuration, route))
        .collect()
}

fn shown(configuration: &Configuration, route: &CompiledRoute) -> Option<RouteShown> {
    let authored = found::authored(configuration, route)?;
    let pools = configuration.snapshot.resources().pools();
    let endpoints = route.action.pools();
    let endpoints = endpoints.map(|pool| pools.endpoints(pool).map_or(0, <[_]>::len));
    Some(RouteShown {
        host: route.host.to_string(),
        route: found::route(configuration, authored)?,
        policies: route.rules.policies.iter().map(Policy::name).collect(),
        endpoints: endpoints.sum(),
    })
}

fn rendered(routes: &[RouteShown]) -> String {
    let rows: Vec<_> = routes.iter().map(row).collect();
    table::render(
        [
            "HOST",
            "PATH",
            "MATCH",
            "ACTION",
            "ENDPOINTS",
            "POLICIES",
            "PLACE",
        ],
        &rows,
    )
}

fn row(shown: &RouteShown) -> [String; 7] {
    let or_dash = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    let place = shown.route.place.as_ref();
    let endpoints = match shown.endpoints {
        0 => String::new(),
        count => count.to_string(),
    };
    [
        shown.host.clone(),
        shown.route.path.clone(),
        or_dash(shown.route.conditions.join(", ")),
        shown.route.action.to_owned(),
        or_dash(endpoints),
        or_dash(shown.policies.join(", ")),
        or_dash(place.map(ToString::to_string).unwrap_or_default()),
    ]
}
