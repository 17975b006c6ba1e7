//! The routes of one path: one route, or a list in which the most specific match is first.

use serde_json::{Value as Json, json};

use crate::document::path_route::{PathRoute, WrittenPath, route};
use crate::model::{MOST_ROUTES, RouteMatch, never_reached};
use crate::reading::Reader;
use crate::yaml::{Entry, Node, Spot, Value};

/// The routes of one key of `paths`.
pub(crate) struct PathRoutes {
    /// In the order in which they are tried. Routes with faults may be left out.
    pub(crate) routes: Vec<PathRoute>,
    /// Position of the key.
    pub(crate) at: Spot,
    /// `true` if every route is written with `exact: true`.
    is_exact: bool,
    /// `true` if no route has a fault.
    is_sound: bool,
}

/// Reads the value of a key of `paths`. `path`: the path, if it has no fault.
pub(crate) fn read<'t>(
    entry: Entry<'t>,
    path: Option<&WrittenPath>,
    reader: &mut Reader<'t>,
) -> PathRoutes {
    let before = reader.fault_count();
    let node = entry.value;
    let (routes, is_exact) = match node.value() {
        Value::Sequence(elements) => {
            refuse_count(node, reader);
            let few = elements.take(MOST_ROUTES);
            let element = |(index, element): (usize, Node<'t>)| {
                reader.element(index, |reader| route(element, element.at(), path, reader))
            };
            let routes = few.clone().enumerate().filter_map(element);
            (routes.collect(), few.into_iter().all(is_exact))
        }
        _ => {
            let route = route(node, entry.at, path, reader);
            (route.into_iter().collect(), is_exact(node))
        }
    };
    let routes = PathRoutes {
        routes,
        at: entry.at,
        is_exact,
        is_sound: reader.fault_count() == before,
    };
    if routes.is_sound {
        routes.check_order(reader);
    }
    routes
}

fn refuse_count(node: Node<'_>, reader: &mut Reader<'_>) {
    let Value::Sequence(elements) = node.value() else {
        return;
    };
    match elements.take(MOST_ROUTES + 1).count() {
        0 => reader.fault(node.at(), "is empty; expected a route or a list of routes"),
        1..=MOST_ROUTES => {}
        _ => reader.fault(node.at(), format!("has more than {MOST_ROUTES} routes")),
    }
}

/// Reports whether a route is written with `exact: true`.
fn is_exact(route: Node<'_>) -> bool {
    let exact = route.get("match").and_then(|matches| matches.get("exact"));
    let exact = exact.map(|exact| exact.value());
    matches!(exact, Some(Value::Scalar(scalar)) if scalar.as_bool() == Some(true))
}

/// Returns the JSON Schema of a value of `paths`.
pub(crate) fn schema() -> Json {
    let route = json!({ "$ref": "#/$defs/route" });
    json!({ "anyOf": [route, { "type": "array", "minItems": 1, "items": route }] })
}

impl PathRoutes {
    /// Reports routes that no request reaches, and those whose requests the next one would treat the same.
    fn check_order(&self, reader: &mut Reader<'_>) {
        for (late, early) in never_reached(&self.matches()) {
            let reason = unreachable(&self.routes[early]);
            let at = self.routes[late].at;
            reader.element(late, |reader| reader.fault(at, reason));
        }
        for (index, two) in self.routes.windows(2).enumerate() {
            let covered = never_reached(&[two[1].matches.as_ref(), two[0].matches.as_ref()]);
            if !covered.is_empty() && two[0].does_as(&two[1]) {
                let reason = "has no effect: the next route does the same with the same requests";
                reader.element(index, |reader| reader.note(two[0].at, reason));
            }
        }
    }

    fn matches(&self) -> Vec<Option<&RouteMatch>> {
        self.routes
            .iter()
            .map(|route| route.matches.as_ref())
            .collect()
    }

    /// Adds the routes of another key for the same path, such as `/a/` beside `/a`. Those of a key whose routes are all exact come first, as
    /// they are more specific; if neither is such a key, the path is a duplicate.
    pub(crate) fn join(&mut self, path: &str, other: Self, reader: &mut Reader<'_>) {
        if !self.is_exact && !other.is_exact {
            let first = self.at;
            let reason = format!("duplicate path `{path}`, already defined at {first}");
            return reader.fault(other.at, reason);
        }
        if self.routes.len() + other.routes.len() > MOST_ROUTES {
            let reason = format!("the path `{path}` has more than {MOST_ROUTES} routes");
            return reader.fault(other.at, reason);
        }
        let at = match other.is_exact {
            true => 0,
            false => self.routes.len(),
        };
        let added = at..at + other.routes.len();
        self.is_sound &= other.is_sound;
        self.is_exact &= other.is_exact;
        self.routes.splice(at..at, other.routes);
        if !self.is_sound {
            return;
        }
        for (late, early) in never_reached(&self.matches()) {
            // Those within one key are reported already.
            if added.contains(&late) != added.contains(&early) {
                reader.fault(self.routes[late].at, unreachable(&self.routes[early]));
            }
        }
    }
}

fn unreachable(early: &PathRoute) -> String {
    format!(
        "can never match: the route at {} takes every request that it would take",
        early.at
    )
}
