//! The keys at a path. The keys of rules are in [`crate::rules`].

use crate::document::files::ServedFiles;
use crate::document::pools::WrittenPools;
use crate::document::redirect::RedirectTo;
use crate::document::respond::RespondTo;
use crate::document::route_match::MatchKeys;
use crate::document::server::Servers;
use crate::reading::keys;
use crate::rules::{RuleKeys, Scope};

keys! {
    /// The action for requests below a path: one of `servers`, `redirect_to`, `respond`, `pools`, `files`. `redirect_to` overrides `servers`,
    /// with a warning.
    RouteKeys "at a path";
    /// The endpoints: IP:PORT, or maps of address, weight, backup.
    servers => Servers,
    /// The URL to redirect to; the path and the query of the request are appended.
    redirect_to => RedirectTo,
    /// Several groups of endpoints, each with its share of the requests.
    pools => WrittenPools,
    /// Conditions on the requests below the path.
    conditions: "match" => MatchKeys,
    /// The response of the proxy itself: a map of status, body, type.
    respond => RespondTo,
    /// The folder whose files are served: its path, or a map of folder, spa, precompressed. The path of the route is removed first.
    files => ServedFiles,
    ..rules: RuleKeys, at Scope::Path
}
