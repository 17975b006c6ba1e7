//! Who the client of a request is: the other end of the connection, or, if that is a trusted proxy, the client that it names.
//!
//! Everyone can write any field. So the fields of proxies are read only if the connection comes from an address in `trusted_proxies`, and
//! the list of hops is read from the right: each proxy appends the address that it was connected from, and the first address that is not
//! trusted is the last one that a trusted proxy vouches for. Whatever is further left may be an invention of that client.
//!
//! A list of more than 20 hops or 1 KiB names a client only if an address that is not trusted is among its last 20 hops; otherwise the proxy
//! that sent it counts as the client. Such a list is not passed on as it is ([`RelayedFields`]). If it were ignored even then, a client behind a
//! trusted proxy could make the list that long, and would be admitted where `allow` contains that proxy.

use std::net::IpAddr;

use aralez_proto::matcher::Scheme;
use aralez_proto::rules::Networks;

use crate::{Fields, Request};
use hops::HopList;

mod element;
mod hops;
mod relayed;
#[cfg(test)]
mod tests;

pub use relayed::{RelayedFields, passes};

/// One hop on the path of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hop {
    /// Its address.
    pub address: IpAddr,
    /// The scheme in which it sent the request.
    pub scheme: Scheme,
}

/// The client of a request, as far as the proxy believes what it received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientFacts {
    /// The client.
    pub client: Hop,
    /// The trusted proxy at the other end of the connection. `None` if the client itself is there: then no field about a client is believed.
    pub proxy: Option<Hop>,
}

impl ClientFacts {
    /// Returns the facts about a client at the other end of the connection.
    pub const fn direct(address: IpAddr, scheme: Scheme) -> Self {
        Self {
            client: Hop { address, scheme },
            proxy: None,
        }
    }

    /// Returns the facts about the client of a request whose client, until now, is the other end of the connection.
    pub fn of<F: Fields>(trusted: &Networks, request: &Request<'_, F>) -> Self {
        if trusted.is_empty() || !trusted.contain(request.client) {
            return Self::direct(request.client, request.scheme);
        }
        let sender = Hop {
            address: request.client,
            scheme: request.scheme,
        };
        let fields = &request.fields;
        let client = Hop {
            address: client_address(trusted, sender.address, fields),
            scheme: said_scheme(fields).unwrap_or(sender.scheme),
        };
        Self {
            client,
            proxy: Some(sender),
        }
    }
}

impl<F> Request<'_, F> {
    /// Returns the same request, sent by this client.
    #[must_use]
    pub fn of(self, client: Hop) -> Self {
        Self {
            client: client.address,
            scheme: client.scheme,
            ..self
        }
    }
}

/// Returns the client's address, as `X-Forwarded-For` names it, or `Forwarded` if there is no `X-Forwarded-For`.
fn client_address<F: Fields>(trusted: &Networks, sender: IpAddr, fields: &F) -> IpAddr {
    let lists = [HopList::XForwardedFor, HopList::Forwarded];
    let Some(list) = lists.into_iter().find(|list| list.has_hops(fields)) else {
        return sender;
    };
    let mut client = sender;
    for address in list.addresses(fields).take(hops::MOST_HOPS) {
        match address {
            Some(address) if trusted.contain(address) => client = address,
            Some(address) => return address,
            None => break,
        }
    }
    if list.is_long(fields) { sender } else { client }
}

/// Returns the scheme in which the client spoke to the last proxy, if that proxy says so: in `X-Forwarded-Proto`, else in `Forwarded`.
fn said_scheme<F: Fields>(fields: &F) -> Option<Scheme> {
    let proto = hops::last_member(fields, hops::PROTO).and_then(scheme);
    proto.or_else(|| {
        let mut elements = HopList::Forwarded.members(fields);
        scheme(element::Element::parse(elements.next()?)?.proto?)
    })
}

/// Returns the scheme of a name in a field: those of WebSockets count as the ones below them.
fn scheme(name: &[u8]) -> Option<Scheme> {
    let is = |known: &[u8]| known.eq_ignore_ascii_case(name);
    if is(b"https") || is(b"wss") {
        Some(Scheme::Https)
    } else if is(b"http") || is(b"ws") {
        Some(Scheme::Http)
    } else {
        None
    }
}
