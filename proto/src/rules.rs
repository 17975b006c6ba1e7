//! Rules: settings that may stand at the top, at a host or at a path. The narrower scope wins.
//!
//! One rule, one file: its keys, its values, how scopes merge, its message, its feature numbers and its tests. The list below names them all,
//! also those that this release only checks. ARCHITECTURE.md says what a new one takes.

use std::fmt::Debug;

use crate::reading::{
    Anything, Between, Cidr, FromYaml, Key, KeyMatch, NotYet, Reader, Written, WrittenSize,
    takes_key,
};
use crate::wire::resource as wire;
use crate::yaml::Node;

mod authorization;
mod balance;
mod client_ca;
mod compress;
mod headers;
mod health;
mod host_seen;
mod on_empty;
mod rate_limit;
mod retries;
mod sticky_sessions;
mod timeouts;
mod tls;
mod to_https;

use authorization::Authorization;
use balance::BalanceChoice;
use client_ca::ClientCa;
use compress::Compress;
pub use headers::{RequestHeaders, ResponseHeaders};
use health::HealthKeys;
use host_seen::HostSeen;
use on_empty::OnEmpty;
use rate_limit::RateLimit;
use retries::RetriesKeys;
use sticky_sessions::Sticky;
pub use timeouts::Timeouts;
use tls::{Protocol, TlsToEndpoint};
pub use to_https::ToHttps;

/// Where a rule may stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    /// At the top of `upstreams.yaml`.
    Top,
    /// At a host.
    Host,
    /// At a path.
    Path,
    /// At a service of Consul or Kubernetes, of which routes are made.
    Service,
}

/// Where documents set what holds for a route.
const SCOPES: &[Scope] = &[Scope::Top, Scope::Host, Scope::Path];
const EVERYWHERE: &[Scope] = &[Scope::Top, Scope::Host, Scope::Path, Scope::Service];
const OF_POOLS: &[Scope] = &[Scope::Top, Scope::Path];
const OF_POOLS_AND_SERVICES: &[Scope] = &[Scope::Top, Scope::Path, Scope::Service];
const TOP: &[Scope] = &[Scope::Top];
const HOST: &[Scope] = &[Scope::Host];
const PATH: &[Scope] = &[Scope::Path];

/// What one scope says about a rule that this release enforces.
pub(crate) trait Rule: Clone + Debug + Default + PartialEq {
    /// As written.
    type Keys: FromYaml;
    /// As sent.
    type Wire;
    /// The features that some value of it needs (see [`crate::feature`]), ascending.
    const FEATURES: &'static [u32] = &[];

    /// From what was written.
    fn lower(keys: Self::Keys) -> Self;

    /// This scope with a narrower one inside.
    #[must_use]
    fn narrowed_by(&self, narrower: &Self) -> Self;

    /// The features that this value needs: a proxy without one of them must not serve without the rule.
    fn needs(&self) -> &'static [u32] {
        &[]
    }

    /// `None` where nothing is said, so that a scope that says nothing costs nothing.
    fn encode(&self) -> Option<Self::Wire>;

    /// From what was sent. Each thing that the model does not allow is told to `wrong`.
    fn decode(wire: Self::Wire, wrong: &mut dyn FnMut(String)) -> Self;
}

/// Declares the rules. Enforced ones have a type that implements [`Rule`] and a field of `message Rules`; of the others only the value is
/// checked, and refused where it asks for something.
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
        /// What one scope says about all rules. Where it says nothing, a wider scope holds.
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct Rules {
            $($(#[doc = $about])* pub $field: $rule,)*
        }

        impl Rules {
            /// This scope with a narrower one inside.
            #[must_use]
            pub fn narrowed_by(&self, narrower: &Self) -> Self {
                Self { $($field: self.$field.narrowed_by(&narrower.$field),)* }
            }

            /// The features that these values need.
            pub(crate) fn needs(&self) -> Vec<u32> {
                [$(self.$field.needs(),)*].concat()
            }

            /// `None` where nothing is said.
            pub(crate) fn encode(&self) -> Option<wire::Rules> {
                let said = *self != Self::default();
                said.then(|| wire::Rules { $($field: self.$field.encode(),)* })
            }

            /// From what was sent. `wrong` is told the rule and what the model does not allow of it.
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

        /// The features that some value of some rule needs.
        pub(crate) const FEATURES: &[&[u32]] = &[$(<$rule as Rule>::FEATURES,)*];

        /// The keys of rules that stand in one scope.
        #[derive(Default)]
        pub(crate) struct RuleKeys {
            $($field: Option<<$rule as Rule>::Keys>,)*
            written: Written,
        }

        impl RuleKeys {
            /// The keys that may stand in a scope.
            pub(crate) fn keys(scope: Scope) -> impl Iterator<Item = Key> {
                let all = [
                    $(($scopes, takes_key::<<$rule as Rule>::Keys>($key, &[$($alias),*], &[$($about),*], None)),)*
                    $(($checked_scopes, takes_key::<$shape>($checked_key, &[], &[$($checked_about),*], None)),)*
                ];
                let here = all.into_iter().filter(move |(scopes, _): &(&[Scope], Key)| scopes.contains(&scope));
                here.map(|(_, key)| key)
            }

            /// Reads the value of a key that stands in a scope.
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

            /// What the scope says.
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
    }
    checked {
        /// Requests per second and client.
        "rate_limit": RateLimit, at EVERYWHERE;
        /// Answers 4xx per second and client.
        "x4xx_limit": Between<0, { u64::MAX }>, at EVERYWHERE;
        /// Who may pass.
        "authorization": Authorization, at EVERYWHERE;
        /// The largest request body.
        "max_body": WrittenSize, at EVERYWHERE;
        /// Whether answers are compressed.
        "compress": Compress, at SCOPES;
        /// Networks whose clients may come, and no others.
        "allow": Vec<Cidr>, at SCOPES;
        /// Networks whose clients may not come.
        "deny": Vec<Cidr>, at SCOPES;
        /// Files that are sent in place of answers with these statuses.
        "errors": Anything, at SCOPES;
        /// Whether a client keeps its endpoint, or for how many seconds.
        "sticky_sessions": Sticky, at OF_POOLS_AND_SERVICES;
        /// How an endpoint is chosen.
        "balance": BalanceChoice, at OF_POOLS_AND_SERVICES;
        /// Whether a failed request is tried again.
        "retries": RetriesKeys, at OF_POOLS;
        /// What a confirmed empty answer of a source does to a pool. Default: keep.
        "on_empty": OnEmpty, at OF_POOLS;
        /// How endpoints are checked.
        "health": HealthKeys, at OF_POOLS_AND_SERVICES;
        /// Whether endpoints are checked.
        "healthcheck": bool, at OF_POOLS_AND_SERVICES;
        /// Networks whose X-Forwarded-For is believed.
        "trusted_proxies": Vec<Cidr>, at TOP;
        /// Certificates that clients must show.
        "client_ca": ClientCa, at HOST;
        /// What is taken off the path that endpoints see.
        "strip_prefix": String, at PATH;
        /// What is put before the path that endpoints see.
        "add_prefix": String, at PATH;
        /// What endpoints see as Host. Default: keep, what the client sent.
        "host": HostSeen, at PATH;
        /// How many requests may be with each endpoint at once.
        "max_in_flight": Between<1, { u64::MAX }>, at PATH;
        /// TLS to the endpoints.
        "tls": TlsToEndpoint, at PATH;
        /// HTTP/2 to the endpoints.
        "http2": Protocol, at PATH;
    }
}

#[cfg(test)]
mod tests;
