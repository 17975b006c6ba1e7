//! The keys at a path. The keys of rules are in [`crate::rules`].

use crate::document::actions::{Files, MatchKeys, PoolKeys, RespondKeys};
use crate::document::redirect::RedirectTo;
use crate::document::server::Servers;
use crate::reading::{NotYet, keys};
use crate::rules::{RuleKeys, Scope};

keys! {
    /// The action for requests below a path: `servers`, `redirect_to` or `files`. `redirect_to` overrides `servers`, with a warning.
    RouteKeys "at a path";
    /// The endpoints: IP:PORT, or maps of address, weight, backup.
    servers => Servers,
    /// The URL to redirect to; the path and the query of the request are appended.
    redirect_to => RedirectTo,
    /// Several groups of endpoints, each with its share of the requests.
    pools => NotYet<Vec<PoolKeys>>,
    /// An answer that the proxy generates.
    respond => NotYet<RespondKeys>,
    @checked {
        /// The folder to serve.
        files => NotYet<Files>,
        /// Conditions on the requests below the path.
        match => NotYet<MatchKeys>,
    }
    ..rules: RuleKeys, at Scope::Path
}
