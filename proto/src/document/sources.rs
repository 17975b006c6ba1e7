//! Consul and Kubernetes as sources: read and checked, for a later release.

use crate::reading::{OneOrMany, SecretText, keys};
use crate::rules::{RuleKeys, Scope};

keys! {
    /// Consul.
    ConsulKeys "in consul";
    @checked {
        /// Where Consul is found.
        servers => Vec<String>,
        /// The services.
        services => Vec<ServiceKeys>,
        /// The token.
        token => SecretText,
        /// The file that holds the token.
        token_file | "tokenpath" => String,
        /// The environment variable that holds the token.
        token_env => String,
        /// The authority that signed Consul's certificate.
        ca => String,
        /// Whether Consul's certificate is not verified.
        insecure => bool,
        /// The datacenter.
        datacenter => String,
        /// The namespace.
        namespace => String,
        /// The admin partition.
        partition => String,
        /// The tags that a service must have.
        tags => OneOrMany<String>,
    }
}

keys! {
    /// Kubernetes.
    KubernetesKeys "in kubernetes";
    @checked {
        /// Where the API is found.
        servers => Vec<String>,
        /// The services.
        services => Vec<ServiceKeys>,
        /// The token.
        token => SecretText,
        /// The file that holds the token.
        tokenpath | "token_file" => String,
        /// The environment variable that holds the token.
        token_env => String,
        /// The authority that signed the API's certificate.
        ca => String,
        /// Whether the API's certificate is not verified.
        insecure => bool,
        /// The namespace.
        namespace => String,
        /// The file that says where the API is and who asks.
        kubeconfig => String,
        /// The class of the Ingress objects that are served.
        ingress_class => String,
        /// What is written to the status of those.
        publish_address => OneOrMany<String>,
    }
}

keys! {
    /// A service and the route that it feeds.
    ServiceKeys "in services";
    @checked {
        /// The host.
        hostname => String,
        /// The service.
        upstream => String,
        /// The path. Default: /.
        path => String,
        /// The tags that the service must have.
        tags => OneOrMany<String>,
    }
    ..rules: RuleKeys, at Scope::Service
}
