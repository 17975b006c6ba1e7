//! The keys of `upstreams.yaml` and `conf.d/*.yaml` at the top and at a host. The keys of rules are in [`crate::rules`].

use crate::document::paths::Paths;
use crate::document::route_keys::RouteKeys;
use crate::document::sources::{ConsulKeys, KubernetesKeys};
use crate::document::values::{Compat, Groups, HostsSchema, Providers};
use crate::reading::{Key, KeySet, NotYet, Scopes, keys};
use crate::rules::{RuleKeys, Scope};

keys! {
    /// `upstreams.yaml`: defaults for all hosts, and the hosts.
    GlobalKeys "at the top";
    /// `aralez-0.9`: answer misses with 502.
    compat => Compat,
    @checked {
        /// Sources of endpoints: file, consul, kubernetes, or a list of them.
        provider => Providers,
        /// The services to find in Consul.
        consul => NotYet<ConsulKeys>,
        /// The services to find in Kubernetes.
        kubernetes => NotYet<KubernetesKeys>,
        /// The hosts. They may also be listed at the top.
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
    /// Allow this file to redefine a host of another file.
    overrides: "override" => bool,
    ..rules: RuleKeys, at Scope::Host
}

/// The three maps that are nested in each other.
pub(crate) const SCOPES: Scopes = &[
    (HostKeys::SCOPE, HostKeys::keys),
    (RouteKeys::SCOPE, RouteKeys::keys),
    (GlobalKeys::SCOPE, GlobalKeys::keys),
];

/// Reports whether a name is a key at the top.
pub(crate) fn is_global(name: &str) -> bool {
    GlobalKeys::keys().iter().any(|key: &Key| key.is(name))
}
