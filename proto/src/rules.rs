//! Rules: settings allowed at the top, at a host or at a path. The narrower scope wins.
//!
//! Each rule has one file: its keys, values, merging of scopes, wire message, feature numbers and tests. The list below names all rules,
//! including those that this release only checks. ARCHITECTURE.md describes how to add one.

use std::fmt::Debug;

use crate::model::{EndpointAddress, PoolName};
use crate::reading::{Between, FromYaml, Key, KeyMatch, NotYet, Reader, Written, takes_key};
use crate::wire::resource as wire;
use crate::yaml::Node;

mod add_prefix;
mod authorization;
mod balance;
mod client_ca;
mod compress;
mod errors;
mod headers;
mod health;
mod host_seen;
mod max_body;
mod networks;
mod on_empty;
mod rate_limit;
mod retries;
mod scoped_limit;
mod sticky_sessions;
mod strip_prefix;
mod timeouts;
mod tls;
mod to_https;
mod trusted_proxies;
mod x4xx_limit;

pub use add_prefix::AddPrefix;
pub use authorization::{
    ApiKeys, Authorization, AuthorizationMethod, BasicUser, BasicUsers, CopiedHeader, KeyMaterial,
    ServerRule, ServerUrl, TokenAlgorithm, TokenKey, TokenRule, TokenSecret,
};
use balance::BalanceChoice;
use client_ca::ClientCa;
use compress::Compress;
pub use errors::{ErrorPage, Errors};
pub use headers::{RequestHeaders, ResponseHeaders};
use health::HealthKeys;
pub use host_seen::HostSeen;
pub use max_body::MaxBody;
pub use networks::{Allow, ClientNetworks, Deny, Networks};
use on_empty::OnEmpty;
pub use rate_limit::{Quota, RateLimit};
use retries::RetriesKeys;
pub use scoped_limit::ScopedLimit;
use sticky_sessions::Sticky;
pub use strip_prefix::StripPrefix;
pub use timeouts::Timeouts;
use tls::{Protocol, TlsToEndpoint};
pub use to_https::ToHttps;
pub use trusted_proxies::TrustedProxies;
pub use x4xx_limit::X4xxLimit;

/// A place at which a rule may be set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// At the top of `upstreams.yaml`.
    Top,
    /// At a host.
    Host,
    /// At a path.
    Path,
    /// At a service of Consul or Kubernetes, from which routes are generated.
    Service,
}

/// The scopes from which a route inherits.
const SCOPES: &[Scope] = &[Scope::Top, Scope::Host, Scope::Path];
const EVERYWHERE: &[Scope] = &[Scope::Top, Scope::Host, Scope::Path, Scope::Service];
const OF_POOLS: &[Scope] = &[Scope::Top, Scope::Path];
const OF_POOLS_AND_SERVICES: &[Scope] = &[Scope::Top, Scope::Path, Scope::Service];
const TOP: &[Scope] = &[Scope::Top];
const HOST: &[Scope] = &[Scope::Host];
const PATH: &[Scope] = &[Scope::Path];

/// The value of one scope for a rule that this release enforces.
pub(crate) trait Rule: Clone + Debug + Default + PartialEq {
    /// The value as written in a document.
    type Keys: FromYaml;
    /// The value as sent to proxies.
    type Wire;
    /// The features that some value of the rule needs (see [`crate::feature`]), ascending.
    const FEATURES: &'static [u32] = &[];

    /// Converts a written value.
    fn lower(keys: Self::Keys) -> Self;

    /// Returns this scope overridden by a narrower one inside it.
    #[must_use]
    fn narrowed_by(&self, narrower: &Self) -> Self;

    /// Returns the features that this value needs. A proxy that lacks one of them must not serve without the rule.
    fn needs(&self) -> &'static [u32] {
        &[]
    }

    /// Returns the server that the value itself names: the name of its pool, which values with the same server share, and its address.
    fn server(&self) -> Option<(&PoolName, &EndpointAddress)> {
        None
    }

    /// Encodes the value. `None` if the scope does not set the rule, so that an unset rule takes no bytes.
    fn encode(&self) -> Option<Self::Wire>;

    /// Decodes a received value. Calls `wrong` for each part that the model does not allow.
    fn decode(wire: Self::Wire, wrong: &mut dyn FnMut(String)) -> Self;
}

/// Declares the rules. An enforced rule has a type that implements [`Rule`] and a field of `message Rules`. A checked rule is only
/// validated, and a value that turns it on is refused.
macro_rules! rules {
    (
        enforced {$(
            $(#[doc = $about:literal])*
            $field:ident: $rule:ty = $key:literal $(| $alias:literal)* at $scopes:expr;
        )*}
        checked {$(
            $(#[doc = $checked_about:literal])*
            $checked_key:literal: $shape:ty, at $checked_scopes:expr;
        )*}
    ) => {
        /// The rules of one scope. A rule that is not set here is inherited from the wider scope.
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct Rules {
            $($(#[doc = $about])* pub $field: $rule,)*
        }

        impl Rules {
            /// Returns this scope overridden by a narrower one inside it.
            #[must_use]
            pub fn narrowed_by(&self, narrower: &Self) -> Self {
                Self { $($field: self.$field.narrowed_by(&narrower.$field),)* }
            }

            /// Returns the features that these values need.
            pub(crate) fn needs(&self) -> Vec<u32> {
                [$(self.$field.needs(),)*].concat()
            }

            /// Returns the servers that these values name, each with the name of its pool.
            pub(crate) fn servers(&self) -> impl Iterator<Item = (&PoolName, &EndpointAddress)> {
                [$(self.$field.server(),)*].into_iter().flatten()
            }

            /// Encodes the rules. `None` if the scope sets none.
            pub(crate) fn encode(&self) -> Option<wire::Rules> {
                let said = *self != Self::default();
                said.then(|| wire::Rules { $($field: self.$field.encode(),)* })
            }

            /// Decodes received rules. Calls `wrong` with the rule and the reason for each value that the model does not allow.
            pub(crate) fn decode(
                wire: Option<wire::Rules>,
                wrong: &mut dyn FnMut(&'static str, String),
            ) -> Self {
                let Some(wire) = wire else {
                    return Self::default();
                };
                Self {
                    $($field: wire.$field.map_or_else(Default::default, |sent| {
                        Rule::decode(sent, &mut |reason| wrong(stringify!($field), reason))
                    }),)*
                }
            }
        }

        /// Per rule, the features that some value of it needs.
        pub(crate) const FEATURES: &[&[u32]] = &[$(<$rule as Rule>::FEATURES,)*];

        /// The rule keys written in one scope.
        #[derive(Default)]
        pub(crate) struct RuleKeys {
            $($field: Option<<$rule as Rule>::Keys>,)*
            written: Written,
        }

        impl RuleKeys {
            /// Returns the keys allowed in a scope.
            pub(crate) fn keys(scope: Scope) -> impl Iterator<Item = Key> {
                let all = [
                    $(($scopes, takes_key::<<$rule as Rule>::Keys>($key, &[$($alias),*], &[$($about),*], None)),)*
                    $(($checked_scopes, takes_key::<NotYet<$shape>>($checked_key, &[], &[$($checked_about),*], None)),)*
                ];
                let here = all.into_iter().filter(move |(scopes, _): &(&[Scope], Key)| scopes.contains(&scope));
                here.map(|(_, key)| key)
            }

            /// Reads the value of a key in a scope.
            pub(crate) fn take<'t>(
                &mut self,
                scope: Scope,
                key: &str,
                node: Node<'t>,
                reader: &mut Reader<'t>,
            ) -> KeyMatch {
                match key {
                    $($key $(| $alias)* if $scopes.contains(&scope) => {
                        if self.written.note($key, node, reader) {
                            self.$field = reader.rule($key, node, FromYaml::read);
                        }
                    })*
                    $($checked_key if $checked_scopes.contains(&scope) => {
                        if self.written.note($checked_key, node, reader) {
                            let _: Option<NotYet<$shape>> = reader.rule($checked_key, node, FromYaml::read);
                        }
                    })*
                    _ => return KeyMatch::Unknown,
                }
                KeyMatch::Taken
            }

            /// Converts the written keys to rules.
            pub(crate) fn lower(self) -> Rules {
                Rules { $($field: self.$field.map_or_else(Default::default, Rule::lower),)* }
            }
        }
    };
}

rules! {
    enforced {
        /// Time limits.
        timeouts: Timeouts = "timeouts" at SCOPES;
        /// Whether plain HTTP is redirected to HTTPS.
        to_https: ToHttps = "to_https" at EVERYWHERE;
        /// Headers of requests to endpoints: a list of `Name:value`, or a map of set, append, remove.
        request_headers: RequestHeaders = "server_headers" at EVERYWHERE;
        /// Headers of responses to clients: a list of `Name:value`, or a map of set, append, remove.
        response_headers: ResponseHeaders = "headers" | "client_headers" at EVERYWHERE;
        /// Networks whose clients are allowed; all others are refused.
        allow: Allow = "allow" at SCOPES;
        /// Networks whose clients are refused, also if `allow` contains them.
        deny: Deny = "deny" at SCOPES;
        /// Networks of proxies in front of this one, which are believed about their clients.
        trusted_proxies: TrustedProxies = "trusted_proxies" at TOP;
        /// Part of the route's path that is removed from the paths sent to endpoints.
        strip_prefix: StripPrefix = "strip_prefix" at PATH;
        /// Prefix added to the paths sent to endpoints, after `strip_prefix`.
        add_prefix: AddPrefix = "add_prefix" at PATH;
        /// Host sent to endpoints. Default: keep, the client's Host.
        host: HostSeen = "host" at PATH;
        /// Requests per second and client, or a map of `requests`, `per`, `burst`; `none` lifts the limit of a wider scope. Counted for each
        /// client and path where a path sets it, else for each client and host.
        rate_limit: RateLimit = "rate_limit" at EVERYWHERE;
        /// 4xx responses within a second and per client, beyond which its requests are refused; `none` lifts the limit of a wider scope.
        x4xx_limit: X4xxLimit = "x4xx_limit" at EVERYWHERE;
        /// The largest request body, as a size; `none` lifts the limit of a wider scope.
        max_body: MaxBody = "max_body" at EVERYWHERE;
        /// Files sent with the error responses that the proxy generates itself, by status.
        errors: Errors = "errors" at SCOPES;
        /// Authorization of clients.
        authorization: Authorization = "authorization" at EVERYWHERE;
    }
    checked {
        /// Whether responses are compressed.
        "compress": Compress, at SCOPES;
        /// Whether a client keeps its endpoint, or for how many seconds.
        "sticky_sessions": Sticky, at OF_POOLS_AND_SERVICES;
        /// Selection of an endpoint.
        "balance": BalanceChoice, at OF_POOLS_AND_SERVICES;
        /// Whether failed requests are retried.
        "retries": RetriesKeys, at OF_POOLS;
        /// Effect of a confirmed empty answer of a source on a pool. Default: keep.
        "on_empty": OnEmpty, at OF_POOLS;
        /// Health checks of endpoints.
        "health": HealthKeys, at OF_POOLS_AND_SERVICES;
        /// Whether endpoints are health-checked.
        "healthcheck": bool, at OF_POOLS_AND_SERVICES;
        /// Client certificates.
        "client_ca": ClientCa, at HOST;
        /// Maximum number of concurrent requests to each endpoint.
        "max_in_flight": Between<1, { u64::MAX }>, at PATH;
        /// TLS to the endpoints.
        "tls": TlsToEndpoint, at PATH;
        /// HTTP/2 to the endpoints.
        "http2": Protocol, at PATH;
    }
}

/// Returns the JSON Schema of a path.
fn path_schema() -> serde_json::Value {
    serde_json::json!({ "type": "string", "pattern": "^/[^?#;\\\\\\s]+$" })
}

#[cfg(test)]
mod tests;
