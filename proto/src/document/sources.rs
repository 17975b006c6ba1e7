//! Consul and Kubernetes as sources. They are read and checked only, for a later release.

use crate::reading::{OneOrMany, SecretText, keys};
use crate::rules::{RuleKeys, Scope};

keys! {
    /// Consul.
    ConsulKeys "in consul";
    @checked {
        /// Addresses of Consul.
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
        /// Do not verify Consul's certificate.
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
        /// Addresses of the API.
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
        /// Do not verify the API's certificate.
        insecure => bool,
        /// The namespace.
        namespace => String,
        /// The file with the address of the API and the credentials.
        kubeconfig => String,
        /// The class of the Ingress objects to serve.
        ingress_class => String,
        /// The addresses to write to the status of those objects.
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
