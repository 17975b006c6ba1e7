//! Networks of `allow` that `deny` contains: no client of them is served, whichever scope is narrower.

use ipnet::IpNet;

use crate::document::AuthoredHost;
use crate::place::{DocumentFault, Place, Places};
use crate::rules::{Networks, Rules};

/// A scope with its rules.
#[derive(Clone, Copy)]
pub(crate) struct RuledScope<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) places: &'a Places,
}

/// The lists that apply in a scope.
#[derive(Clone, Copy, Default)]
struct Lists<'a> {
    allow: Option<&'a Networks>,
    deny: Option<&'a Networks>,
}

impl<'a> Lists<'a> {
    fn narrowed_by(self, rules: &'a Rules) -> Self {
        Self {
            allow: rules.allow.0.as_ref().or(self.allow),
            deny: rules.deny.0.as_ref().or(self.deny),
        }
    }

    /// Returns the allowed networks that one denied network contains.
    fn dead(self) -> Networks {
        let (Some(allow), Some(deny)) = (self.allow, self.deny) else {
            return Networks::default();
        };
        // Disjoint and ascending, so that a long list costs no comparison with each element of the other.
        let denied = IpNet::aggregate(&deny.iter().copied().collect());
        let is_denied = |network: &&IpNet| {
            let after = denied.partition_point(|denied| denied.network() <= network.network());
            let before = after.checked_sub(1).and_then(|at| denied.get(at));
            before.is_some_and(|denied| denied.contains(*network))
        };
        allow.iter().filter(is_denied).copied().collect()
    }
}

/// Finds such networks at the top.
pub(crate) fn at_the_top(top: RuledScope<'_>, file: &str) -> Option<DocumentFault> {
    found(Lists::default(), top, (file, String::new()))
}

/// Finds such networks at a host and its routes. `top`: the rules around it. `wrapped`: the host is listed under `upstreams`.
pub(crate) fn at_a_host(
    top: &Rules,
    host: &AuthoredHost,
    (file, wrapped): (&str, bool),
) -> Vec<DocumentFault> {
    let around = Lists::default().narrowed_by(top);
    let prefix = if wrapped { "upstreams." } else { "" };
    let path = format!("{prefix}{}.", host.host.pattern);
    let scope = RuledScope {
        rules: &host.host.rules,
        places: &host.places,
    };
    let of_host = found(around, scope, (file, path.clone()));
    let around = around.narrowed_by(scope.rules);
    let routes = host.host.routes.iter().zip(&host.route_places);
    let of_routes = routes.filter_map(|(route, places)| {
        let scope = RuledScope {
            rules: &route.rules,
            places,
        };
        let path = format!("{path}paths.{}.", route.path);
        found(around, scope, (file, path))
    });
    of_host.into_iter().chain(of_routes).collect()
}

/// Reports the networks at the scope that sets one of the lists, so that scopes inside it do not repeat it.
fn found(
    around: Lists<'_>,
    scope: RuledScope<'_>,
    (file, path): (&str, String),
) -> Option<DocumentFault> {
    let RuledScope { rules, places } = scope;
    let key = match (&rules.allow.0, &rules.deny.0) {
        (Some(_), _) => "allow",
        (None, Some(_)) => "deny",
        (None, None) => return None,
    };
    let dead = around.narrowed_by(rules).dead();
    if dead.is_empty() {
        return None;
    }
    let (line, column) = places.of(key).unwrap_or_default();
    let reason = match (key, rules.deny.0.is_some()) {
        ("allow", false) => format!(
            "clients of {dead} are refused, as `deny` of a wider scope contains them; `deny: []` here lifts it"
        ),
        ("allow", true) => format!("clients of {dead} are refused, as `deny` contains them"),
        _ => format!("refuses clients of {dead}, which `allow` names"),
    };
    Some(DocumentFault {
        place: Place {
            file: file.to_owned(),
            line: line as usize,
            column: column as usize,
        },
        path: format!("{path}{key}"),
        reason,
    })
}
