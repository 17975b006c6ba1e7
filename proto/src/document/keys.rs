//! The keys of `upstreams.yaml` and `conf.d/*.yaml` at the top and at a host.

use crate::document::edits::{RequestEdits, ResponseEdits};
use crate::document::later::pools::{BalanceChoice, HealthKeys, OnEmpty, RetriesKeys};
use crate::document::later::requests::Compress;
use crate::document::later::{Authorization, ClientCa, RateLimit, Sticky};
use crate::document::paths::Paths;
use crate::document::route_keys::RouteKeys;
use crate::document::sources::{ConsulKeys, KubernetesKeys};
use crate::document::values::{Compat, Groups, HostsSchema, Providers, TimeoutKeys};
use crate::reading::{Anything, Between, Cidr, Key, Keyed, NotYet, Scopes, Size, keys};

keys! {
    /// `upstreams.yaml`: defaults for all hosts, and the hosts.
    GlobalKeys "at the top";
    /// Where endpoints come from: file, consul, kubernetes, or a list of them.
    provider: "provider" => Providers,
    /// The services to find in Consul.
    consul: "consul" => NotYet<ConsulKeys>,
    /// The services to find in Kubernetes.
    kubernetes: "kubernetes" => NotYet<KubernetesKeys>,
    /// Whether a client keeps its endpoint, or for how many seconds.
    sticky_sessions: "sticky_sessions" => NotYet<Sticky>,
    /// Whether plain HTTP is redirected to HTTPS.
    to_https: "to_https" => bool,
    /// Requests per second and client.
    rate_limit: "rate_limit" => NotYet<RateLimit>,
    /// Answers 4xx per second and client.
    x4xx_limit: "x4xx_limit" => NotYet<Between<0, { u64::MAX }>>,
    /// Headers of responses to clients: a list of `Name:value`, or a map of set, append, remove.
    headers: "headers" | "client_headers" => ResponseEdits,
    /// Headers of requests to endpoints: a list of `Name:value`, or a map of set, append, remove.
    server_headers: "server_headers" => RequestEdits,
    /// Who may pass.
    authorization: "authorization" => NotYet<Authorization>,
    /// `aralez-0.9`: misses answer 502.
    compat: "compat" => Compat,
    /// Networks whose X-Forwarded-For is believed.
    trusted_proxies: "trusted_proxies" => NotYet<Vec<Cidr>>,
    /// How an endpoint is chosen.
    balance: "balance" => NotYet<BalanceChoice>,
    /// Time limits.
    timeouts: "timeouts" => TimeoutKeys,
    /// Whether a failed request is tried again.
    retries: "retries" => NotYet<RetriesKeys>,
    /// What a confirmed empty answer of a source does to a pool. Default: keep.
    on_empty: "on_empty" => NotYet<OnEmpty>,
    /// How endpoints are checked.
    health: "health" => NotYet<HealthKeys>,
    /// Whether endpoints are checked.
    healthcheck: "healthcheck" => NotYet<bool>,
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
    /// The hosts; they may as well stand at the top.
    upstreams: "upstreams" => HostsSchema,
}

keys! {
    /// A host.
    HostKeys "at a host";
    /// The paths of the host with their routes.
    paths: "paths" => Paths,
    /// The groups of nodes that serve the host. Default: all.
    groups: "groups" => Groups,
    /// Whether this file may redefine a host of another file.
    overrides: "override" => bool,
    /// Certificates that clients must show.
    client_ca: "client_ca" => NotYet<ClientCa>,
    /// Whether plain HTTP is redirected to HTTPS.
    to_https: "to_https" => bool,
    /// Requests per second and client.
    rate_limit: "rate_limit" => NotYet<RateLimit>,
    /// Answers 4xx per second and client.
    x4xx_limit: "x4xx_limit" => NotYet<Between<0, { u64::MAX }>>,
    /// Headers of responses to clients: a list of `Name:value`, or a map of set, append, remove.
    headers: "headers" | "client_headers" => ResponseEdits,
    /// Headers of requests to endpoints: a list of `Name:value`, or a map of set, append, remove.
    server_headers: "server_headers" => RequestEdits,
    /// Who may pass.
    authorization: "authorization" => NotYet<Authorization>,
    /// Time limits.
    timeouts: "timeouts" => TimeoutKeys,
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
}

/// The three maps that hold each other.
pub(crate) const SCOPES: Scopes = &[
    (HostKeys::SCOPE, HostKeys::KEYS),
    (RouteKeys::SCOPE, RouteKeys::KEYS),
    (GlobalKeys::SCOPE, GlobalKeys::KEYS),
];

/// Whether a name is a key at the top.
pub(crate) fn is_global(name: &str) -> bool {
    GlobalKeys::KEYS.iter().any(|key: &Key| key.is(name))
}
