//! Routes with the rules of all scopes put together.

use std::sync::Arc;

use aralez_proto::model::{
    Action, HeaderEdits, HostPattern, Route, Settings, Timeouts, VirtualHost,
};

use crate::core::edits::CompiledEdits;

/// A route with everything that holds for it: what the group, the host and the route itself say, the narrower winning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompiledRoute {
    /// The host it belongs to.
    pub host: HostPattern,
    /// Its path, normalised.
    pub path: Arc<str>,
    /// Edits of requests; shared among routes where equal.
    pub request_edits: Arc<CompiledEdits>,
    /// Edits of responses; shared among routes where equal.
    pub response_edits: Arc<CompiledEdits>,
    /// Time limits, with the defaults where nobody says anything.
    pub timeouts: Timeouts,
    /// Whether plain HTTP is redirected to HTTPS.
    pub to_https: bool,
    /// What is done.
    pub action: Action,
}

/// The routes of a host.
pub(super) fn compile(settings: &Settings, host: &VirtualHost) -> Vec<CompiledRoute> {
    let request = HostEdits::new(settings.request_headers.narrowed_by(&host.request_headers));
    let response = HostEdits::new(
        settings
            .response_headers
            .narrowed_by(&host.response_headers),
    );
    let timeouts = Timeouts::DEFAULT
        .narrowed_by(&settings.timeouts)
        .narrowed_by(&host.timeouts);
    let to_https = host.to_https.or(settings.to_https);
    let compile = |route: &Route| CompiledRoute {
        host: host.pattern.clone(),
        path: Arc::clone(&route.path),
        request_edits: request.narrowed_by(&route.request_headers),
        response_edits: response.narrowed_by(&route.response_headers),
        timeouts: timeouts.narrowed_by(&route.timeouts),
        to_https: route.to_https.or(to_https).unwrap_or(false),
        action: route.action.clone(),
    };
    host.routes.iter().map(compile).collect()
}

/// The edits that hold for a host, compiled once for all its routes that add nothing.
struct HostEdits {
    edits: HeaderEdits,
    compiled: Arc<CompiledEdits>,
}

impl HostEdits {
    fn new(edits: HeaderEdits) -> Self {
        Self {
            compiled: Arc::new(CompiledEdits::new(&edits)),
            edits,
        }
    }

    fn narrowed_by(&self, narrower: &HeaderEdits) -> Arc<CompiledEdits> {
        if narrower.is_empty() {
            return Arc::clone(&self.compiled);
        }
        Arc::new(CompiledEdits::new(&self.edits.narrowed_by(narrower)))
    }
}
