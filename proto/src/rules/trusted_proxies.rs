//! `trusted_proxies`: networks of the proxies in front of this one, which are believed about their clients.
//!
//! It is set at the top only: who the client is has to be known before a route is found for its request.

use ipnet::IpNet;
use serde_json::Value as Json;

use crate::reading::{Cidr, FromYaml, Reader};
use crate::rules::Rule;
use crate::rules::networks::Networks;
use crate::wire::resource as wire;
use crate::yaml::Node;

/// Feature of `trusted_proxies`. A proxy without it would take every client behind such a proxy for that proxy, and `allow` might admit it.
const TRUSTED_PROXIES: u32 = 14;

/// The networks whose addresses are trusted proxies. Empty by default: nobody is believed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TrustedProxies(pub Networks);

/// One network as written.
pub(crate) struct WrittenProxy(IpNet);

impl FromYaml for WrittenProxy {
    const EXPECTED: &'static str = Cidr::EXPECTED;

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let network = Cidr::read(node, reader)?.0;
        if network.prefix_len() == 0 {
            let reason = format!(
                "{network} contains every client, so each may name any address as its own; list only the networks of your proxies"
            );
            reader.note(node.at(), reason);
        }
        Some(Self(network))
    }

    fn schema() -> Json {
        Cidr::schema()
    }
}

impl Rule for TrustedProxies {
    type Keys = Vec<WrittenProxy>;
    type Wire = wire::Networks;
    const FEATURES: &'static [u32] = &[TRUSTED_PROXIES];

    fn lower(keys: Self::Keys) -> Self {
        Self(keys.into_iter().map(|network| network.0).collect())
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        if narrower.0.is_empty() {
            self.clone()
        } else {
            narrower.clone()
        }
    }

    fn needs(&self) -> &'static [u32] {
        if self.0.is_empty() {
            &[]
        } else {
            &[TRUSTED_PROXIES]
        }
    }

    fn encode(&self) -> Option<wire::Networks> {
        (!self.0.is_empty()).then(|| self.0.encode())
    }

    fn decode(wire: wire::Networks, wrong: &mut dyn FnMut(String)) -> Self {
        Self(Networks::decode(&wire, wrong))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(list: &[&str]) -> TrustedProxies {
        TrustedProxies(list.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn nobody_is_trusted_by_default_and_that_needs_no_new_proxy() {
        let nobody = TrustedProxies::default();
        assert!(!nobody.0.contain([127, 0, 0, 1].into()));
        assert_eq!((nobody.needs(), nobody.encode()), (&[][..], None));
        let some = proxies(&["10.0.0.0/8"]);
        assert_eq!(some.needs(), [TRUSTED_PROXIES]);
        assert_eq!(nobody.narrowed_by(&some), some);
        assert_eq!(some.narrowed_by(&nobody), some);
    }

    #[test]
    fn what_is_sent_is_read_back_and_anything_else_is_named() {
        let some = proxies(&["10.0.0.0/8", "::1/128"]);
        let sent = some.encode().unwrap();
        let mut wrong = Vec::new();
        let read = TrustedProxies::decode(sent, &mut |reason| wrong.push(reason));
        assert_eq!((read, wrong.len()), (some, 0));
        let sent = wire::Networks {
            networks: vec!["10.0.0.1/8".to_owned()],
        };
        let read = TrustedProxies::decode(sent, &mut |reason| wrong.push(reason));
        assert_eq!((read, wrong.len()), (TrustedProxies::default(), 1));
    }
}
