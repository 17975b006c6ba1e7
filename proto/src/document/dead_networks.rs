//! Networks of `allow` that `deny` contains: no client of them is served, whichever scope is narrower.

use std::rc::Rc;

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

/// The lists that apply in a scope. Each is sorted once, in the scope that sets it, however many scopes inherit it.
#[derive(Clone, Default)]
pub(crate) struct ClientLists {
    /// Ascending.
    allow: Rc<[IpNet]>,
    /// Ascending and disjoint.
    deny: Rc<[IpNet]>,
}

impl ClientLists {
    /// Returns the lists of a narrower scope.
    pub(crate) fn narrowed_by(&self, rules: &Rules) -> Self {
        let mut lists = self.clone();
        if let Some(allow) = &rules.allow.0 {
            let mut sorted: Vec<IpNet> = allow.iter().copied().collect();
            sorted.sort_unstable();
            lists.allow = sorted.into();
        }
        if let Some(deny) = &rules.deny.0 {
            lists.deny = IpNet::aggregate(&deny.iter().copied().collect()).into();
        }
        lists
    }

    /// Returns the allowed networks that the denied ones cover. The shorter list is looked up in the longer one: a long list that many
    /// scopes inherit is not walked for each of them.
    fn dead(&self) -> Networks {
        match self.allow.len() <= self.deny.len() {
            true => self
                .allow
                .iter()
                .filter(|of| self.denies(of))
                .copied()
                .collect(),
            false => self
                .deny
                .iter()
                .flat_map(|of| self.allowed_in(of))
                .copied()
                .collect(),
        }
    }

    fn denies(&self, network: &IpNet) -> bool {
        let after = self
            .deny
            .partition_point(|denied| denied.network() <= network.network());
        let before = after.checked_sub(1).and_then(|at| self.deny.get(at));
        before.is_some_and(|denied| denied.contains(network))
    }

    fn allowed_in(&self, denied: &IpNet) -> impl Iterator<Item = &IpNet> {
        let start = self
            .allow
            .partition_point(|allowed| allowed.network() < denied.network());
        let begins_inside = self.allow[start..]
            .iter()
            .take_while(|of| denied.contains(&of.network()));
        begins_inside.filter(|of| denied.contains(*of))
    }
}

/// Finds such networks at the top.
pub(crate) fn at_the_top(top: RuledScope<'_>, file: &str) -> Option<DocumentFault> {
    found(&ClientLists::default(), top, file, String::new)
}

/// Finds such networks at a host and its routes. `top`: the lists around it. `wrapped`: the host is listed under `upstreams`.
pub(crate) fn at_a_host(
    top: &ClientLists,
    host: &AuthoredHost,
    (file, wrapped): (&str, bool),
) -> Vec<DocumentFault> {
    let prefix = if wrapped { "upstreams." } else { "" };
    let path = || format!("{prefix}{}.", host.host.pattern);
    let scope = RuledScope {
        rules: &host.host.rules,
        places: &host.places,
    };
    let of_host = found(top, scope, file, path);
    let around = top.narrowed_by(scope.rules);
    let routes = host.host.routes.iter().zip(&host.route_places);
    let of_routes = routes.filter_map(|(route, places)| {
        let scope = RuledScope {
            rules: &route.rules,
            places,
        };
        found(&around, scope, file, || {
            format!("{}paths.{}.", path(), route.path)
        })
    });
    of_host.into_iter().chain(of_routes).collect()
}

/// Reports the networks at the scope that sets one of the lists, so that scopes inside it do not repeat it. `path`: the keys to the scope.
fn found(
    around: &ClientLists,
    RuledScope { rules, places }: RuledScope<'_>,
    file: &str,
    path: impl FnOnce() -> String,
) -> Option<DocumentFault> {
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
        path: format!("{}{key}", path()),
        reason,
    })
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// A network among so few that many contain each other.
    fn network() -> impl Strategy<Value = IpNet> {
        (any::<bool>(), 0_u8..16, 0_u8..=4).prop_map(|(new, bits, length)| {
            let text = match new {
                true => format!("{:x}00::/{length}", u32::from(bits) << 4),
                false => format!("{}.0.0.0/{length}", u32::from(bits) << 4),
            };
            text.parse::<IpNet>().expect("a network").trunc()
        })
    }

    proptest! {
        #[test]
        fn an_allowed_network_is_dead_if_the_denied_ones_cover_it(
            allow in vec(network(), 0..6),
            deny in vec(network(), 0..6),
        ) {
            let mut rules = Rules::default();
            rules.allow.0 = Some(allow.iter().copied().collect());
            rules.deny.0 = Some(deny.iter().copied().collect());
            let dead = ClientLists::default().narrowed_by(&rules).dead();
            let joined = IpNet::aggregate(&deny);
            let mut expected: Vec<IpNet> = allow
                .into_iter()
                .filter(|of| joined.iter().any(|denied| denied.contains(of)))
                .collect();
            expected.sort_unstable();
            let found: Vec<IpNet> = dead.iter().copied().collect();
            prop_assert_eq!(found, expected);
        }
    }
}
