//! `allow` and `deny`: which clients a route serves, by address.

use std::net::IpAddr;

use aralez_proto::rules::{Networks, Rules};

/// The networks of a route. At least one list is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressFilter {
    allow: Option<Networks>,
    deny: Option<Networks>,
}

impl AddressFilter {
    /// Returns the policy of these rules. `None` if they refuse no client.
    pub fn of(rules: &Rules) -> Option<Self> {
        let deny = rules.deny.0.clone().filter(|networks| !networks.is_empty());
        let allow = rules.allow.0.clone();
        (allow.is_some() || deny.is_some()).then_some(Self { allow, deny })
    }

    /// Returns whether a client at this address is served. `deny` takes precedence.
    pub fn admits(&self, client: IpAddr) -> bool {
        let contain = |networks: &Networks| networks.contain(client);
        let denied = self.deny.as_ref().is_some_and(contain);
        !denied && self.allow.as_ref().is_none_or(contain)
    }

    /// Returns the lists that are set, each with its key.
    pub fn lists(&self) -> impl Iterator<Item = (&'static str, &Networks)> {
        let allow = self.allow.iter().map(|list| ("allow", list));
        allow.chain(self.deny.iter().map(|list| ("deny", list)))
    }

    /// Returns which network decides about a client.
    pub fn reason(&self, client: IpAddr) -> String {
        let found = |list: &Option<Networks>| list.as_ref()?.containing(client).copied();
        match (found(&self.deny), found(&self.allow)) {
            (Some(network), _) => format!("{client} is in {network} of deny"),
            (None, Some(network)) => format!("{client} is in {network} of allow"),
            (None, None) if self.allow.is_some() => format!("{client} is in no network of allow"),
            (None, None) => format!("{client} is in no network of deny"),
        }
    }
}

#[cfg(test)]
mod tests {
    use aralez_proto::rules::ClientNetworks;

    use super::*;

    fn networks(list: &[&str]) -> Option<Networks> {
        Some(list.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn filter(allow: Option<Networks>, deny: Option<Networks>) -> Option<AddressFilter> {
        AddressFilter::of(&Rules {
            allow: ClientNetworks(allow),
            deny: ClientNetworks(deny),
            ..Rules::default()
        })
    }

    #[test]
    fn a_client_is_served_if_it_is_allowed_and_not_denied() {
        let (inner, office) = (&["10.0.0.0/8"][..], &["10.1.0.0/16"][..]);
        for (allow, deny, client, served) in [
            (networks(inner), None, "10.2.3.4", true),
            (networks(inner), None, "192.0.2.1", false),
            (None, networks(office), "10.1.2.3", false),
            (None, networks(office), "10.2.3.4", true),
            (networks(inner), networks(office), "10.1.2.3", false),
            (networks(inner), networks(office), "10.2.3.4", true),
            (networks(office), networks(inner), "10.1.2.3", false),
        ] {
            let filter = filter(allow, deny).unwrap();
            let admitted = filter.admits(client.parse().unwrap());
            assert_eq!(admitted, served, "{client}: {filter:?}");
            let reason = filter.reason(client.parse().unwrap());
            let by_allow = reason.ends_with(" of allow") && !reason.contains("no network");
            let by_none = reason.ends_with("in no network of deny");
            assert_eq!(by_allow || by_none, served, "{reason}");
        }
    }

    #[test]
    fn rules_without_networks_have_no_such_policy() {
        assert_eq!(filter(None, None), None);
        assert_eq!(filter(None, networks(&[])), None);
    }
}
