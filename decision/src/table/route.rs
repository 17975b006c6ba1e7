//! Routes with the rules of all scopes merged.

use std::sync::Arc;

use aralez_proto::model::{Action, HeaderEdits, HostPattern, Route, Settings, VirtualHost};
use aralez_proto::rules::{Authorization, Rules, Timeouts};

use crate::authorization;
use crate::edits::CompiledEdits;
use crate::policy::Policy;

/// A route with all rules that apply to it, merged from the group, the host and the route itself; the narrower scope wins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledRoute {
    /// The host it belongs to.
    pub host: HostPattern,
    /// Its normalised path.
    pub path: Arc<str>,
    /// The rules that apply to it. Shared among routes without rules of their own: requests for such routes touch no memory that belongs to
    /// one route only.
    pub rules: Arc<CompiledRules>,
    /// The action for a request.
    pub action: Action,
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
    /// All other rules. Timeouts that no scope sets have their defaults; header edits are in the fields above. Shared with the enclosing
    /// scope if both are equal.
    pub others: Arc<Rules>,
}

impl CompiledRules {
    /// Compiles `all`, the merged rules of a scope; `own` are those it sets itself. `wider` is the enclosing scope, whose header edits are
    /// shared if this one has none.
    fn new(mut all: Rules, own: &Rules, wider: Option<&Self>) -> Self {
        let request = with_claims(&all);
        all.request_headers = Default::default();
        let response = std::mem::take(&mut all.response_headers).0;
        let edits = |all: &HeaderEdits, own: &HeaderEdits, shared: Option<&Arc<CompiledEdits>>| {
            match shared.filter(|_| own.is_empty()) {
                Some(shared) => Arc::clone(shared),
                None => Arc::new(CompiledEdits::new(all)),
            }
        };
        let policies = Policy::of(&all);
        let shared = wider.map(|wider| &wider.others);
        let shared = shared.filter(|said| ***said == all).cloned();
        Self {
            request_edits: edits(
                &request,
                &own.request_headers.0,
                // The authorization of a scope decides which names clients may not send.
                wider
                    .map(|wider| &wider.request_edits)
                    .filter(|_| own.authorization == Authorization::default()),
            ),
            response_edits: edits(
                &response,
                &own.response_headers.0,
                wider.map(|wider| &wider.response_edits),
            ),
            policies,
            others: shared.unwrap_or_else(|| Arc::new(all)),
        }
    }
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
}

impl CompiledScope {
    /// Returns the scope of a group.
    pub(super) fn of(settings: &Settings) -> Self {
        let defaults = Rules {
            timeouts: Timeouts::defaults(),
            ..Rules::default()
        };
        let all = defaults.narrowed_by(&settings.rules);
        let compiled = Arc::new(CompiledRules::new(all.clone(), &settings.rules, None));
        Self { all, compiled }
    }

    fn with(&self, own: &Rules) -> Self {
        if *own == Rules::default() {
            return self.clone();
        }
        let all = self.all.narrowed_by(own);
        let compiled = CompiledRules::new(all.clone(), own, Some(&self.compiled));
        Self {
            all,
            compiled: Arc::new(compiled),
        }
    }

    fn compiled_with(&self, own: &Rules) -> Arc<CompiledRules> {
        if *own == Rules::default() {
            return Arc::clone(&self.compiled);
        }
        let all = self.all.narrowed_by(own);
        Arc::new(CompiledRules::new(all, own, Some(&self.compiled)))
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
