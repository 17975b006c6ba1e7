//! Routes with the rules of all scopes merged.

use std::net::IpAddr;
use std::sync::Arc;

use aralez_proto::model::{
    Action, Direction, Header, HeaderEdits, HostPattern, Route, RouteMatch, Settings, VirtualHost,
};
use aralez_proto::rules::{Authorization, Errors, Rules, Timeouts};

use crate::authorization;
use crate::edits::CompiledEdits;
use crate::limits::{LimitedRoute, RouteLimits};
use crate::path_edit::PathEdit;
use crate::policy::Policy;
use crate::state::LimitKey;

/// A route with all rules that apply to it, merged from the group, the host and the route itself; the narrower scope wins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledRoute {
    /// The host it belongs to.
    pub host: HostPattern,
    /// Its normalised path.
    pub path: Arc<str>,
    /// The conditions on the requests that it takes; `None` if it takes every request below its path.
    pub matches: Option<Arc<RouteMatch>>,
    /// Identifies its match among the routes of its path, in every table; 0 if it has none.
    pub match_key: u64,
    /// The rules that apply to it. Shared among routes without rules of their own: requests for such routes touch no memory that belongs to
    /// one route only.
    pub rules: Arc<CompiledRules>,
    /// The action for a request.
    pub action: Action,
}

impl CompiledRoute {
    /// Returns the route as limits identify it.
    pub fn limited(&self) -> LimitedRoute<'_> {
        LimitedRoute {
            host: &self.host,
            path: &self.path,
            match_key: self.match_key,
        }
    }

    /// Returns the key under which responses with a status of 400 to 499 to a client count. `None` if the route does not limit them.
    pub fn error_key(&self, client: IpAddr) -> Option<LimitKey> {
        self.rules.policies.iter().find_map(|policy| match policy {
            Policy::Errors(limit) => Some(limit.key(self.limited(), client)),
            _ => None,
        })
    }
}

/// The rules of a scope merged with those of the scopes around it, in the form that requests need.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledRules {
    /// Edits of requests.
    pub request_edits: Arc<CompiledEdits>,
    /// Edits of responses.
    pub response_edits: Arc<CompiledEdits>,
    /// The policies that a request must pass before the route acts, in order.
    pub policies: Box<[Policy]>,
    /// The change of paths on their way to endpoints.
    pub path_edit: Option<Box<PathEdit>>,
    /// All other rules. Timeouts that no scope sets have their defaults; header edits, paths and hosts are in the fields above. Shared with
    /// the enclosing scope if both are equal.
    pub others: Arc<Rules>,
}

impl CompiledRules {
    /// Compiles `all`, the merged rules of a scope with its limits; `own` are those it sets itself. `wider` is the enclosing scope, whose
    /// header edits are shared if this one has none.
    fn new(mut all: Rules, limits: &RouteLimits, own: &Rules, wider: Option<&Self>) -> Self {
        // With the header edits: authorization keeps the claims that they show.
        let policies = Policy::of(&all, limits);
        let mut request = with_claims(&all);
        let authorization = all.authorization.clone();
        let prefixes = authorization::prefixes_of(&authorization);
        all.request_headers = Default::default();
        let response = std::mem::take(&mut all.response_headers).0;
        if let Some(host) = std::mem::take(&mut all.host).0 {
            set_host(&mut request, &host, &own.request_headers.0);
        }
        let path_edit = PathEdit::of(&all).map(Box::new);
        (all.strip_prefix, all.add_prefix) = Default::default();
        let edits = |compiled: &dyn Fn() -> CompiledEdits,
                     own_is_empty: bool,
                     shared: Option<&Arc<CompiledEdits>>| {
            match shared.filter(|_| own_is_empty) {
                Some(shared) => Arc::clone(shared),
                None => Arc::new(compiled()),
            }
        };
        let shared = wider.map(|wider| &wider.others);
        let shared = shared.filter(|said| ***said == all).cloned();
        Self {
            request_edits: edits(
                &|| CompiledEdits::dropping(&request, &prefixes),
                // The authorization of a scope decides which names clients may not send.
                own.request_headers.0.is_empty()
                    && own.host.0.is_none()
                    && own.authorization == Authorization::default(),
                wider.map(|wider| &wider.request_edits),
            ),
            response_edits: edits(
                &|| CompiledEdits::new(&response),
                own.response_headers.0.is_empty(),
                wider.map(|wider| &wider.response_edits),
            ),
            policies,
            path_edit,
            others: shared.unwrap_or_else(|| Arc::new(all)),
        }
    }
}

/// Adds the edit for `host` of a route, which replaces the edits of wider scopes, but not one of the route's own.
fn set_host(all: &mut HeaderEdits, host: &str, own: &HeaderEdits) {
    if own.sets("host") {
        return;
    }
    all.set.retain(|header| header.name() != "host");
    // A validated host is a valid value.
    all.set
        .extend(Header::new(Direction::Request, "host", host).ok());
}

/// Returns the edits of requests. Fields that only the authorization sets are dropped from requests, also when a token has no such claim,
/// and not set by other rules.
fn with_claims(rules: &Rules) -> HeaderEdits {
    let mut edits = rules.request_headers.0.clone();
    for name in authorization::fields_of(rules) {
        edits.set.retain(|header| header.name() != name);
        edits.append.retain(|header| header.name() != name);
        if !edits.remove.iter().any(|removed| removed == name) {
            edits.remove.push(name.to_owned());
        }
    }
    edits
}

/// A scope: its merged rules, as data and compiled.
#[derive(Clone, Debug)]
pub(super) struct CompiledScope {
    all: Rules,
    compiled: Arc<CompiledRules>,
    compat_0_9: bool,
}

impl CompiledScope {
    /// Returns the scope of a group.
    pub(super) fn of(settings: &Settings) -> Self {
        let defaults = Rules {
            timeouts: Timeouts::defaults(),
            ..Rules::default()
        };
        let all = defaults.narrowed_by(&settings.rules);
        let compat_0_9 = settings.compat_0_9;
        let limits = RouteLimits::of(&all, &Rules::default(), compat_0_9);
        let compiled = CompiledRules::new(all.clone(), &limits, &settings.rules, None);
        Self {
            all,
            compiled: Arc::new(compiled),
            compat_0_9,
        }
    }

    /// Returns the error pages of the scope.
    pub(super) fn error_pages(&self) -> &Errors {
        &self.compiled.others.errors
    }

    /// Returns the scope of a host in this scope.
    fn with(&self, own: &Rules) -> Self {
        if *own == Rules::default() {
            return self.clone();
        }
        let all = self.all.narrowed_by(own);
        let limits = RouteLimits::of(&all, &Rules::default(), self.compat_0_9);
        let compiled = CompiledRules::new(all.clone(), &limits, own, Some(&self.compiled));
        Self {
            all,
            compiled: Arc::new(compiled),
            compat_0_9: self.compat_0_9,
        }
    }

    /// Compiles the rules of a path in this scope.
    fn compiled_with(&self, own: &Rules) -> Arc<CompiledRules> {
        if *own == Rules::default() {
            return Arc::clone(&self.compiled);
        }
        let all = self.all.narrowed_by(own);
        let limits = RouteLimits::of(&all, own, self.compat_0_9);
        let compiled = CompiledRules::new(all, &limits, own, Some(&self.compiled));
        Arc::new(compiled)
    }

    /// Compiles the routes of a host in this scope. A route with the same rules as the one before it shares the compiled ones: templates
    /// generate equal rules for every path.
    pub(super) fn compile<'a>(
        &self,
        host: &'a VirtualHost,
    ) -> impl Iterator<Item = CompiledRoute> + use<'a> {
        let scope = self.with(&host.rules);
        let mut before: Option<(&Rules, Arc<CompiledRules>)> = None;
        let compile = move |route: &'a Route| {
            let rules = match &before {
                Some((own, rules)) if **own == route.rules => Arc::clone(rules),
                _ => scope.compiled_with(&route.rules),
            };
            before = Some((&route.rules, Arc::clone(&rules)));
            CompiledRoute {
                host: host.pattern.clone(),
                path: Arc::clone(&route.path),
                matches: route.matches.clone(),
                match_key: route.matches.as_ref().map_or(0, |matches| matches.key()),
                rules,
                action: route.action.clone(),
            }
        };
        host.routes.iter().map(compile)
    }
}

impl Default for CompiledScope {
    fn default() -> Self {
        Self::of(&Settings::default())
    }
}
