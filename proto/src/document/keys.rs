//! The keys of `upstreams.yaml` and `conf.d/*.yaml` at the top and at a host. Those of rules are in [`crate::rules`].

use crate::document::paths::Paths;
use crate::document::route_keys::RouteKeys;
use crate::document::sources::{ConsulKeys, KubernetesKeys};
use crate::document::values::{Compat, Groups, HostsSchema, Providers};
use crate::reading::{Key, KeySet, NotYet, Scopes, keys};
use crate::rules::{RuleKeys, Scope};

keys! {
    /// `upstreams.yaml`: defaults for all hosts, and the hosts.
    GlobalKeys "at the top";
    /// `aralez-0.9`: misses answer 502.
    compat => Compat,
    @checked {
        /// Where endpoints come from: file, consul, kubernetes, or a list of them.
        provider => Providers,
        /// The services to find in Consul.
        consul => NotYet<ConsulKeys>,
        /// The services to find in Kubernetes.
        kubernetes => NotYet<KubernetesKeys>,
        /// The hosts; they may as well stand at the top.
        upstreams => HostsSchema,
    }
    ..rules: RuleKeys, at Scope::Top
}

keys! {
    /// A host.
    HostKeys "at a host";
    /// The paths of the host with their routes.
    paths => Paths,
    /// The groups of nodes that serve the host. Default: all.
    groups => Groups,
    /// Whether this file may redefine a host of another file.
    overrides: "override" => bool,
    ..rules: RuleKeys, at Scope::Host
}

/// The three maps that hold each other.
pub(crate) const SCOPES: Scopes = &[
    (HostKeys::SCOPE, HostKeys::keys),
    (RouteKeys::SCOPE, RouteKeys::keys),
    (GlobalKeys::SCOPE, GlobalKeys::keys),
];

/// Whether a name is a key at the top.
pub(crate) fn is_global(name: &str) -> bool {
    GlobalKeys::keys().iter().any(|key: &Key| key.is(name))
}
