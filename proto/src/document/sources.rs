//! Consul and Kubernetes as sources: read and checked, for a later release.

use crate::document::edits::{RequestEdits, ResponseEdits};
use crate::document::later::pools::{BalanceChoice, HealthKeys};
use crate::document::later::{Authorization, RateLimit, Sticky};
use crate::reading::{Between, OneOrMany, Secrecy, Size, keys};

keys! {
    /// Consul.
    ConsulKeys "in consul";
    /// Where Consul is found.
    servers: "servers" => Vec<String>,
    /// The services.
    services: "services" => Vec<ServiceKeys>,
    /// The token.
    token: "token" => Secrecy,
    /// The file that holds the token.
    token_file: "token_file" | "tokenpath" => String,
    /// The environment variable that holds the token.
    token_env: "token_env" => String,
    /// The authority that signed Consul's certificate.
    ca: "ca" => String,
    /// Whether Consul's certificate is not verified.
    insecure: "insecure" => bool,
    /// The datacenter.
    datacenter: "datacenter" => String,
    /// The namespace.
    namespace: "namespace" => String,
    /// The admin partition.
    partition: "partition" => String,
    /// The tags that a service must have.
    tags: "tags" => OneOrMany<String>,
}

keys! {
    /// Kubernetes.
    KubernetesKeys "in kubernetes";
    /// Where the API is found.
    servers: "servers" => Vec<String>,
    /// The services.
    services: "services" => Vec<ServiceKeys>,
    /// The token.
    token: "token" => Secrecy,
    /// The file that holds the token.
    token_file: "tokenpath" | "token_file" => String,
    /// The environment variable that holds the token.
    token_env: "token_env" => String,
    /// The authority that signed the API's certificate.
    ca: "ca" => String,
    /// Whether the API's certificate is not verified.
    insecure: "insecure" => bool,
    /// The namespace.
    namespace: "namespace" => String,
    /// The file that says where the API is and who asks.
    kubeconfig: "kubeconfig" => String,
    /// The class of the Ingress objects that are served.
    ingress_class: "ingress_class" => String,
    /// What is written to the status of those.
    publish_address: "publish_address" => OneOrMany<String>,
}

keys! {
    /// A service and the route that it feeds.
    ServiceKeys "in services";
    /// The host.
    hostname: "hostname" => String,
    /// The service.
    upstream: "upstream" => String,
    /// The path. Default: /.
    path: "path" => String,
    /// Headers of responses to clients.
    headers: "headers" | "client_headers" => ResponseEdits,
    /// Headers of requests to endpoints.
    server_headers: "server_headers" => RequestEdits,
    /// Requests per second and client.
    rate_limit: "rate_limit" => RateLimit,
    /// Answers 4xx per second and client.
    x4xx_limit: "x4xx_limit" => Between<0, { u64::MAX }>,
    /// Whether plain HTTP is redirected to HTTPS.
    to_https: "to_https" => bool,
    /// Whether a client keeps its endpoint, or for how many seconds.
    sticky_sessions: "sticky_sessions" => Sticky,
    /// Who may pass.
    authorization: "authorization" => Authorization,
    /// Whether endpoints are checked.
    healthcheck: "healthcheck" => bool,
    /// How endpoints are checked.
    health: "health" => HealthKeys,
    /// How an endpoint is chosen.
    balance: "balance" => BalanceChoice,
    /// The largest request body.
    max_body: "max_body" => Size,
    /// The tags that the service must have.
    tags: "tags" => OneOrMany<String>,
}
