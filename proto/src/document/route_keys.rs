//! The keys at a path.

use crate::document::edits::{RequestEdits, ResponseEdits};
use crate::document::later::pools::{BalanceChoice, HealthKeys, OnEmpty, PoolKeys, RetriesKeys};
use crate::document::later::requests::{Compress, HostSeen, MatchKeys, RespondKeys};
use crate::document::later::{Authorization, Files, Protocol, RateLimit, Sticky, TlsToEndpoint};
use crate::document::redirect::RedirectTo;
use crate::document::server::Servers;
use crate::document::values::TimeoutKeys;
use crate::reading::{Anything, Between, Cidr, NotYet, Size, keys};

keys! {
    /// What happens to requests below a path: exactly one of `servers`, `redirect_to`, `files`.
    RouteKeys "at a path";
    /// The endpoints: IP:PORT, or maps of address, weight, backup.
    servers: "servers" => Servers,
    /// Where requests are redirected, with their path and query.
    redirect_to: "redirect_to" => RedirectTo,
    /// The folder that is served.
    files: "files" => NotYet<Files>,
    /// Whether plain HTTP is redirected to HTTPS.
    to_https: "to_https" => bool,
    /// Headers of responses to clients: a list of `Name:value`, or a map of set, append, remove.
    headers: "headers" | "client_headers" => ResponseEdits,
    /// Headers of requests to endpoints: a list of `Name:value`, or a map of set, append, remove.
    server_headers: "server_headers" => RequestEdits,
    /// Time limits.
    timeouts: "timeouts" => TimeoutKeys,
    /// How an endpoint is chosen.
    balance: "balance" => NotYet<BalanceChoice>,
    /// Whether endpoints are checked.
    healthcheck: "healthcheck" => NotYet<bool>,
    /// How endpoints are checked.
    health: "health" => NotYet<HealthKeys>,
    /// Whether a client keeps its endpoint, or for how many seconds.
    sticky_sessions: "sticky_sessions" => NotYet<Sticky>,
    /// Requests per second and client.
    rate_limit: "rate_limit" => NotYet<RateLimit>,
    /// Answers 4xx per second and client.
    x4xx_limit: "x4xx_limit" => NotYet<Between<0, { u64::MAX }>>,
    /// Who may pass.
    authorization: "authorization" => NotYet<Authorization>,
    /// Whether a failed request is tried again.
    retries: "retries" => NotYet<RetriesKeys>,
    /// What a confirmed empty answer of a source does to a pool. Default: keep.
    on_empty: "on_empty" => NotYet<OnEmpty>,
    /// The largest request body.
    max_body: "max_body" => NotYet<Size>,
    /// Whether answers are compressed.
    compress: "compress" => NotYet<Compress>,
    /// Networks whose clients may come, and no others.
    allow: "allow" => NotYet<Vec<Cidr>>,
    /// Networks whose clients may not come.
    deny: "deny" => NotYet<Vec<Cidr>>,
    /// Files that are sent in place of answers with these statuses.
    errors: "errors" => NotYet<Anything>,
    /// Which of the requests below the path the route is for.
    matches: "match" => NotYet<MatchKeys>,
    /// Several groups of endpoints, each with its share of the requests.
    pools: "pools" => NotYet<Vec<PoolKeys>>,
    /// An answer of the proxy's own.
    respond: "respond" => NotYet<RespondKeys>,
    /// What is taken off the path that endpoints see.
    strip_prefix: "strip_prefix" => NotYet<String>,
    /// What is put before the path that endpoints see.
    add_prefix: "add_prefix" => NotYet<String>,
    /// What endpoints see as Host. Default: keep, what the client sent.
    host: "host" => NotYet<HostSeen>,
    /// How many requests may be with each endpoint at once.
    max_in_flight: "max_in_flight" => NotYet<Between<1, { u64::MAX }>>,
    /// TLS to the endpoints.
    tls: "tls" => NotYet<TlsToEndpoint>,
    /// HTTP/2 to the endpoints.
    http2: "http2" => NotYet<Protocol>,
}
