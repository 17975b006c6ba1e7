//! Routes with the rules of all scopes put together.

use std::sync::Arc;

use aralez_proto::model::{Action, HostPattern, Route, Settings, VirtualHost};
use aralez_proto::rules::{Rules, Timeouts};

use crate::core::edits::CompiledEdits;

/// A route with everything that holds for it: what the group, the host and the route itself say, the narrower winning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledRoute {
    /// The host it belongs to.
    pub host: HostPattern,
    /// Its path, normalised.
    pub path: Arc<str>,
    /// What holds for it. Shared among routes that say nothing of their own: a host that says nothing costs a request no look at what only
    /// it has.
    pub rules: Arc<CompiledRules>,
    /// What is done.
    pub action: Action,
}

/// The rules of a scope together with those of the scopes around it, as a request needs them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledRules {
    /// Edits of requests.
    pub request_edits: Arc<CompiledEdits>,
    /// Edits of responses.
    pub response_edits: Arc<CompiledEdits>,
    /// All others. Time limits have their defaults where nobody says anything; edits are above.
    pub said: Rules,
}

impl CompiledRules {
    /// `wider`: the scope around, whose edits are shared where this one says nothing about them.
    fn new(all: &Rules, own: &Rules, wider: Option<&Self>) -> Self {
        let wider_for = |says_nothing: bool| wider.filter(|_| says_nothing);
        let request = wider_for(own.request_headers.0.is_empty());
        let response = wider_for(own.response_headers.0.is_empty());
        let compiled = |edits| Arc::new(CompiledEdits::new(edits));
        let mut said = all.clone();
        let edits = std::mem::take(&mut said.request_headers);
        let request_edits = request.map_or_else(
            || compiled(&edits.0),
            |wider| Arc::clone(&wider.request_edits),
        );
        let edits = std::mem::take(&mut said.response_headers);
        let response_edits = response.map_or_else(
            || compiled(&edits.0),
            |wider| Arc::clone(&wider.response_edits),
        );
        Self {
            request_edits,
            response_edits,
            said,
        }
    }
}

/// A scope: all that holds in it, and the same compiled.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    all: Rules,
    compiled: Arc<CompiledRules>,
}

impl Scope {
    /// The scope of a group.
    pub(super) fn of(settings: &Settings) -> Self {
        let defaults = Rules {
            timeouts: Timeouts::defaults(),
            ..Rules::default()
        };
        let all = defaults.narrowed_by(&settings.rules);
        let compiled = Arc::new(CompiledRules::new(&all, &settings.rules, None));
        Self { all, compiled }
    }

    fn with(&self, own: &Rules) -> Self {
        if *own == Rules::default() {
            return self.clone();
        }
        let all = self.all.narrowed_by(own);
        let compiled = CompiledRules::new(&all, own, Some(&self.compiled));
        Self {
            all,
            compiled: Arc::new(compiled),
        }
    }

    fn compiled_with(&self, own: &Rules) -> Arc<CompiledRules> {
        if *own == Rules::default() {
            return Arc::clone(&self.compiled);
        }
        self.with(own).compiled
    }

    /// The routes of a host in this scope.
    pub(super) fn compile(&self, host: &VirtualHost) -> impl Iterator<Item = CompiledRoute> {
        let scope = self.with(&host.rules);
        let compile = move |route: &Route| CompiledRoute {
            host: host.pattern.clone(),
            path: Arc::clone(&route.path),
            rules: scope.compiled_with(&route.rules),
            action: route.action.clone(),
        };
        host.routes.iter().map(compile)
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self::of(&Settings::default())
    }
}
