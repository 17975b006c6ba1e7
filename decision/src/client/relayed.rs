//! What endpoints are told about a client behind a trusted proxy: what that proxy says, with the proxy itself as the last hop.
//!
//! All fields that only a proxy may set ([`FieldName::Ours`](crate::fields::FieldName::Ours)) pass as they came, except those that are
//! written here. A list of hops that is too long or malformed is not passed on: it is replaced by the client and the proxy.

use std::net::IpAddr;

use aralez_proto::matcher::normalise_host;

use crate::Fields;
use crate::additions;
use crate::client::element::Element;
use crate::client::hops::{self, FOR, FORWARDED, HOST, HopList, PROTO};
use crate::client::{ClientFacts, Hop, scheme};
use crate::edits::{CompiledEdits, OurLine};
use crate::octets::list;

/// The fields of a request from a trusted proxy.
#[derive(Clone, Copy, Debug)]
pub struct RelayedFields<'a, F> {
    client: Hop,
    proxy: Hop,
    fields: &'a F,
}

impl ClientFacts {
    /// Returns what endpoints are told about the client. `None` if the request is not from a trusted proxy: then the proxy says it all itself
    /// ([`crate::edits::Forwarded`]).
    pub fn relayed<'a, F: Fields>(&self, fields: &'a F) -> Option<RelayedFields<'a, F>> {
        let proxy = self.proxy?;
        Some(RelayedFields {
            client: self.client,
            proxy,
            fields,
        })
    }
}

/// Returns whether a field that only a proxy may set passes from a trusted proxy to an endpoint as it came.
pub fn passes(name: &[u8]) -> bool {
    // No proxy says anything by `Proxy`: it only serves to attack CGI programs.
    let stopped = [FOR, PROTO, HOST, FORWARDED, "proxy"];
    let is = |stopped: &&str| stopped.as_bytes().eq_ignore_ascii_case(name);
    !stopped.iter().any(is)
}

impl<F: Fields> RelayedFields<'_, F> {
    /// Appends the lines to a head, except those that the route overrides. `host` is the requested host as received.
    pub fn write(&self, host: Option<&str>, route: &CompiledEdits, out: &mut Vec<u8>) {
        if !route.overrides(OurLine::For) {
            self.write_for(out);
        }
        if !route.overrides(OurLine::Proto) {
            let said = hops::last_member(self.fields, PROTO);
            let said = said.filter(|name| scheme(name).is_some());
            let own = self.client.scheme.as_str().as_bytes();
            additions::write(PROTO.as_bytes(), said.unwrap_or(own), out);
        }
        let said = hops::last_member(self.fields, HOST).filter(|host| is_host(host));
        let host = said.or_else(|| host.map(str::as_bytes));
        if let Some(host) = host.filter(|_| !route.overrides(OurLine::Host)) {
            additions::write(HOST.as_bytes(), host, out);
        }
        if HopList::Forwarded.has_hops(self.fields) && !route.drops(FORWARDED.as_bytes()) {
            self.write_forwarded(out);
        }
    }

    fn write_for(&self, out: &mut Vec<u8>) {
        let hops = HopList::XForwardedFor;
        let fields = self.fields;
        let mut addresses = hops.addresses(fields);
        let is_readable = matches!(addresses.next(), Some(Some(_))) && !hops.is_long(fields);
        out.extend_from_slice(FOR.as_bytes());
        out.extend_from_slice(b": ");
        if is_readable {
            for member in fields.named(FOR).flat_map(list) {
                out.extend_from_slice(member);
                out.extend_from_slice(b", ");
            }
        } else if self.client.address != self.proxy.address {
            let client = format!("{}, ", self.client.address);
            out.extend_from_slice(client.as_bytes());
        }
        let proxy = format!("{}\r\n", self.proxy.address);
        out.extend_from_slice(proxy.as_bytes());
    }

    fn write_forwarded(&self, out: &mut Vec<u8>) {
        let hops = HopList::Forwarded;
        let mut elements = hops.members(self.fields);
        let is_readable = elements.all(|element| Element::parse(element).is_some());
        out.extend_from_slice(FORWARDED.as_bytes());
        out.extend_from_slice(b": ");
        if is_readable && !hops.is_long(self.fields) {
            // RFC 7239 section 4: a proxy appends its element to the ones that it received.
            let values = self.fields.named(FORWARDED);
            for value in values.filter(|value| !value.is_empty()) {
                out.extend_from_slice(value);
                out.extend_from_slice(b", ");
            }
        } else if self.client.address != self.proxy.address {
            write_element(self.client, out);
            out.extend_from_slice(b", ");
        }
        write_element(self.proxy, out);
        out.extend_from_slice(b"\r\n");
    }
}

/// Writes a hop as an element of `Forwarded`.
fn write_element(hop: Hop, out: &mut Vec<u8>) {
    // RFC 7239 section 6: an IPv6 address is in brackets and quotes.
    let address = match hop.address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    let element = format!("for={address};proto={}", hop.scheme.as_str());
    out.extend_from_slice(element.as_bytes());
}

/// Returns whether this is a host in ASCII, with or without a port.
fn is_host(host: &[u8]) -> bool {
    let text = str::from_utf8(host).ok().filter(|text| text.is_ascii());
    text.is_some_and(|text| normalise_host(text).is_ok())
}
