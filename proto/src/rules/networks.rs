//! `allow` and `deny`: networks of clients that a route serves, or does not.
//!
//! Each is inherited on its own, and a narrower list replaces a wider one. A client is refused if `deny` contains it, or if there is an
//! `allow` that does not.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use serde_json::Value as Json;

use crate::reading::{Cidr, FromYaml, Reader};
use crate::rules::Rule;
use crate::wire::resource as wire;
use crate::yaml::Node;

/// Feature of `allow` and `deny`. A proxy without it would serve every client.
const NETWORKS: u32 = 4;

/// Most networks that the text of a list names.
const SHOWN: usize = 4;

/// A list of networks. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Networks(Arc<[IpNet]>);

impl Networks {
    /// Returns whether a network contains the address. An IPv4-mapped IPv6 address is an IPv4 address (RFC 4291 section 2.5.5.2).
    pub fn contain(&self, address: IpAddr) -> bool {
        self.containing(address).is_some()
    }

    /// Returns the first network that contains the address.
    pub fn containing(&self, address: IpAddr) -> Option<&IpNet> {
        let address = address.to_canonical();
        self.0.iter().find(|network| network.contains(&address))
    }

    /// Returns whether the list has no network.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the networks, as listed.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }

    /// Encodes the list.
    pub(super) fn encode(&self) -> wire::Networks {
        wire::Networks {
            networks: self.0.iter().map(ToString::to_string).collect(),
        }
    }

    /// Decodes a list. Networks that cannot be parsed are reported and left out.
    pub(super) fn decode(wire: &wire::Networks, wrong: &mut dyn FnMut(String)) -> Self {
        let parsed = wire.networks.iter().filter_map(|text| {
            let network = text.parse::<IpNet>().ok();
            let normal = network.filter(|network| network.trunc() == *network);
            if normal.is_none() {
                wrong(format!("{text:?} is not a network in normal form"));
            }
            normal
        });
        Self(parsed.collect())
    }
}

impl fmt::Display for Networks {
    /// Writes the networks, or the first ones and the number of the others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self.0.iter().take(SHOWN).map(ToString::to_string).collect();
        f.write_str(&shown.join(", "))?;
        match self.0.len() - shown.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl FromIterator<IpNet> for Networks {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// The networks that one scope sets for `allow` or `deny`. `None` if it does not set them: the wider scope applies.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ClientNetworks<const MAY_BE_EMPTY: bool>(pub Option<Networks>);

/// The networks whose clients are allowed. Never empty, since no client would be served.
pub type Allow = ClientNetworks<false>;

/// The networks whose clients are denied. An empty list overrides the wider scope, so that no client is denied.
pub type Deny = ClientNetworks<true>;

/// The list as written.
pub(crate) struct WrittenNetworks<const MAY_BE_EMPTY: bool>(Vec<Cidr>);

impl<const MAY_BE_EMPTY: bool> FromYaml for WrittenNetworks<MAY_BE_EMPTY> {
    const EXPECTED: &'static str = "a list of networks such as 10.0.0.0/8";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let networks = Vec::read(node, reader)?;
        if networks.is_empty() && !MAY_BE_EMPTY {
            let reason = "is empty, so no client would be served; remove the key, or list 0.0.0.0/0 and ::/0 to allow all clients";
            reader.fault(node.at(), reason);
            return None;
        }
        Some(Self(networks))
    }

    fn schema() -> Json {
        Vec::<Cidr>::schema()
    }
}

impl<const MAY_BE_EMPTY: bool> Rule for ClientNetworks<MAY_BE_EMPTY> {
    type Keys = WrittenNetworks<MAY_BE_EMPTY>;
    type Wire = wire::Networks;
    const FEATURES: &'static [u32] = &[NETWORKS];

    fn lower(keys: Self::Keys) -> Self {
        Self(Some(keys.0.into_iter().map(|network| network.0).collect()))
    }

    fn narrowed_by(&self, narrower: &Self) -> Self {
        Self(narrower.0.clone().or_else(|| self.0.clone()))
    }

    fn needs(&self) -> &'static [u32] {
        self.0.as_ref().map_or(&[], |_| &[NETWORKS])
    }

    fn encode(&self) -> Option<wire::Networks> {
        self.0.as_ref().map(Networks::encode)
    }

    fn decode(wire: wire::Networks, wrong: &mut dyn FnMut(String)) -> Self {
        if wire.networks.is_empty() && !MAY_BE_EMPTY {
            wrong("is empty".to_owned());
        }
        Self(Some(Networks::decode(&wire, wrong)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(list: &[&str]) -> Networks {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_narrower_list_replaces_a_wider_one_and_an_empty_deny_lifts_it() {
        let wide: Deny = ClientNetworks(Some(networks(&["10.0.0.0/8"])));
        let other = ClientNetworks(Some(networks(&["192.0.2.0/24"])));
        assert_eq!(wide.narrowed_by(&Deny::default()), wide);
        assert_eq!(wide.narrowed_by(&other), other);
        let none = ClientNetworks(Some(networks(&[])));
        assert_eq!(wide.narrowed_by(&none), none);
    }

    #[test]
    fn the_text_of_a_long_list_names_the_first_networks() {
        assert_eq!(
            networks(&["10.0.0.0/8", "::/0"]).to_string(),
            "10.0.0.0/8, ::/0"
        );
        let long = networks(&["10.0.0.0/8"; 6]).to_string();
        assert!(long.ends_with("10.0.0.0/8 and 2 more"), "{long}");
    }

    #[test]
    fn networks_contain_addresses_of_their_family_and_mapped_ones() {
        let list = networks(&["10.0.0.0/8", "2001:db8::/32"]);
        for (address, expected) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("::ffff:10.0.0.1", true),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(
                list.contain(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }

    #[test]
    fn what_is_sent_is_read_back_and_anything_else_is_named() {
        let allow: Allow = ClientNetworks(Some(networks(&["10.0.0.0/8", "::1/128"])));
        let sent = allow.encode().unwrap();
        assert_eq!(sent.networks, ["10.0.0.0/8", "::1/128"]);
        let mut wrong = Vec::new();
        assert_eq!(Allow::decode(sent, &mut |reason| wrong.push(reason)), allow);
        assert!(wrong.is_empty());
        for bad in [&["10.0.0.1/8"][..], &["x"], &[]] {
            let sent = wire::Networks {
                networks: bad.iter().map(|text| (*text).to_owned()).collect(),
            };
            Allow::decode(sent, &mut |reason| wrong.push(reason));
        }
        assert_eq!(wrong.len(), 3, "{wrong:?}");
    }
}
