//! The keys at a path. Those of rules are in [`crate::rules`].

use crate::document::actions::{Files, MatchKeys, PoolKeys, RespondKeys};
use crate::document::redirect::RedirectTo;
use crate::document::server::Servers;
use crate::reading::{NotYet, keys};
use crate::rules::{RuleKeys, Scope};

keys! {
    /// What happens to requests below a path: exactly one of `servers`, `redirect_to`, `files`.
    RouteKeys "at a path";
    /// The endpoints: IP:PORT, or maps of address, weight, backup.
    servers => Servers,
    /// Where requests are redirected, with their path and query.
    redirect_to => RedirectTo,
    /// Several groups of endpoints, each with its share of the requests.
    pools => NotYet<Vec<PoolKeys>>,
    /// An answer of the proxy's own.
    respond => NotYet<RespondKeys>,
    @checked {
        /// The folder that is served.
        files => NotYet<Files>,
        /// Which of the requests below the path the route is for.
        match => NotYet<MatchKeys>,
    }
    ..rules: RuleKeys, at Scope::Path
}
