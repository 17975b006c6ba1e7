//! Routes with the rules of all scopes put together.

use std::sync::Arc;

use aralez_proto::model::{
    Action, HeaderEdits, HostPattern, Route, Settings, Timeouts, VirtualHost,
};

use crate::core::edits::CompiledEdits;

/// A route with everything that holds for it: what the group, the host and the route itself say, the narrower winning.
///
/// What is equal is shared among routes: a host that says nothing of its own costs a request no look at what only it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledRoute {
    /// The host it belongs to.
    pub host: HostPattern,
    /// Its path, normalised.
    pub path: Arc<str>,
    /// Edits of requests.
    pub request_edits: Arc<CompiledEdits>,
    /// Edits of responses.
    pub response_edits: Arc<CompiledEdits>,
    /// Time limits, with the defaults where nobody says anything.
    pub timeouts: Arc<Timeouts>,
    /// Whether plain HTTP is redirected to HTTPS.
    pub to_https: bool,
    /// What is done.
    pub action: Action,
}

/// The rules of a scope together with those of the scopes around it.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    request: Edits,
    response: Edits,
    timeouts: Arc<Timeouts>,
    to_https: Option<bool>,
}

impl Rules {
    /// The rules of a group.
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            request: Edits::new(settings.request_headers.clone()),
            response: Edits::new(settings.response_headers.clone()),
            timeouts: Arc::new(Timeouts::DEFAULT.narrowed_by(&settings.timeouts)),
            to_https: settings.to_https,
        }
    }

    fn of_host(&self, host: &VirtualHost) -> Self {
        Self {
            request: self.request.narrowed_by(&host.request_headers),
            response: self.response.narrowed_by(&host.response_headers),
            timeouts: self.timeouts_narrowed_by(&host.timeouts),
            to_https: host.to_https.or(self.to_https),
        }
    }

    fn timeouts_narrowed_by(&self, narrower: &Timeouts) -> Arc<Timeouts> {
        if *narrower == Timeouts::default() {
            return Arc::clone(&self.timeouts);
        }
        Arc::new(self.timeouts.narrowed_by(narrower))
    }

    /// The routes of a host in a group of these rules.
    pub(super) fn compile(&self, host: &VirtualHost) -> impl Iterator<Item = CompiledRoute> {
        let rules = self.of_host(host);
        let compile = move |route: &Route| CompiledRoute {
            host: host.pattern.clone(),
            path: Arc::clone(&route.path),
            request_edits: rules.request.compiled_with(&route.request_headers),
            response_edits: rules.response.compiled_with(&route.response_headers),
            timeouts: rules.timeouts_narrowed_by(&route.timeouts),
            to_https: route.to_https.or(rules.to_https).unwrap_or(false),
            action: route.action.clone(),
        };
        host.routes.iter().map(compile)
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::of(&Settings::default())
    }
}

/// The edits of one direction that hold for a scope, compiled once for all in it that add nothing.
#[derive(Clone, Debug)]
struct Edits {
    edits: Arc<HeaderEdits>,
    compiled: Arc<CompiledEdits>,
}

impl Edits {
    fn new(edits: HeaderEdits) -> Self {
        Self {
            compiled: Arc::new(CompiledEdits::new(&edits)),
            edits: Arc::new(edits),
        }
    }

    fn narrowed_by(&self, narrower: &HeaderEdits) -> Self {
        if narrower.is_empty() {
            return self.clone();
        }
        Self::new(self.edits.narrowed_by(narrower))
    }

    fn compiled_with(&self, narrower: &HeaderEdits) -> Arc<CompiledEdits> {
        if narrower.is_empty() {
            return Arc::clone(&self.compiled);
        }
        Arc::new(CompiledEdits::new(&self.edits.narrowed_by(narrower)))
    }
}
