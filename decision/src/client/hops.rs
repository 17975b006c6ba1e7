//! The lists of the hops that a request has passed: `X-Forwarded-For` and `Forwarded`, read from the right.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::Fields;
use crate::client::element::{self, Element};
use crate::edits::OurLine;
use crate::octets::trim;

/// The names of the fields in which proxies describe a client.
pub(super) const FOR: &str = OurLine::For.name();
pub(super) const PROTO: &str = OurLine::Proto.name();
pub(super) const HOST: &str = OurLine::Host.name();
pub(super) const FORWARDED: &str = "forwarded";

/// The most hops of a list that are read.
pub(super) const MOST_HOPS: usize = 20;
/// The most bytes of a list that is passed on.
const MOST_BYTES: usize = 1_024;

/// A field that lists hops, each appended by the proxy that it sent the request to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum HopList {
    /// `X-Forwarded-For`: addresses.
    XForwardedFor,
    /// `Forwarded`: elements of parameters (RFC 7239).
    Forwarded,
}

impl HopList {
    const fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => FOR,
            Self::Forwarded => FORWARDED,
        }
    }

    /// Returns the members of all fields of the list, the last one first. Empty ones are skipped.
    pub(super) fn members<F: Fields>(self, fields: &F) -> impl Iterator<Item = &[u8]> {
        let last_comma = match self {
            Self::XForwardedFor => last_comma,
            Self::Forwarded => element::last_comma,
        };
        let values = fields.named(self.name()).rev();
        values.flat_map(move |value| FromRight {
            rest: Some(value),
            last_comma,
        })
    }

    /// Returns the addresses of the hops, the last one first; `None` for each member that is no address.
    pub(super) fn addresses<F: Fields>(self, fields: &F) -> impl Iterator<Item = Option<IpAddr>> {
        self.members(fields).map(move |member| match self {
            Self::XForwardedFor => address(member),
            // RFC 7239 section 6: a node is an address, `unknown`, or a name that hides the address.
            Self::Forwarded => address(Element::parse(member)?.node?),
        })
    }

    /// Returns whether the list has a member.
    pub(super) fn has_hops<F: Fields>(self, fields: &F) -> bool {
        self.members(fields).next().is_some()
    }

    /// Returns whether the list has more hops or bytes than are read.
    pub(super) fn is_long<F: Fields>(self, fields: &F) -> bool {
        let bytes: usize = fields.named(self.name()).map(<[u8]>::len).sum();
        bytes > MOST_BYTES || self.members(fields).nth(MOST_HOPS).is_some()
    }
}

/// Returns the last member of a list of single values.
pub(super) fn last_member<'a, F: Fields>(fields: &'a F, name: &'static str) -> Option<&'a [u8]> {
    let mut values = fields.named(name).rev().map(|value| FromRight {
        rest: Some(value),
        last_comma,
    });
    values.find_map(|mut members| members.next())
}

fn last_comma(value: &[u8]) -> Option<usize> {
    value.iter().rposition(|byte| *byte == b',')
}

/// The members of a list, from the right.
struct FromRight<'a> {
    rest: Option<&'a [u8]>,
    last_comma: fn(&[u8]) -> Option<usize>,
}

impl<'a> Iterator for FromRight<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while let Some(text) = self.rest.take() {
            let comma = (self.last_comma)(text);
            self.rest = comma.map(|comma| &text[..comma]);
            let member = trim(&text[comma.map_or(0, |comma| comma + 1)..]);
            if !member.is_empty() {
                return Some(member);
            }
        }
        None
    }
}

/// Parses the address of a hop, which may be in quotes and have a port. An IPv4-mapped IPv6 address is an IPv4 address.
pub(super) fn address(text: &[u8]) -> Option<IpAddr> {
    let text = match text {
        [b'"', inner @ .., b'"'] => inner,
        plain => plain,
    };
    let text = str::from_utf8(text).ok()?;
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let parsed = match (bracketed, text.split_once(':')) {
        // RFC 7239 section 6: an IPv6 address is in brackets, and a port may follow each address.
        (Some((address, port)), _)
            if port.is_empty() || port.strip_prefix(':').is_some_and(is_port) =>
        {
            address.parse::<Ipv6Addr>().ok()?.into()
        }
        (None, Some((address, port))) if is_port(port) && address.contains('.') => {
            address.parse::<Ipv4Addr>().ok()?.into()
        }
        (None, _) => text.parse::<IpAddr>().ok()?,
        _ => return None,
    };
    Some(parsed.to_canonical())
}

/// Returns whether this is a port, or a name that hides it.
fn is_port(text: &str) -> bool {
    let hidden = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    match text.strip_prefix('_') {
        // RFC 7239 section 6.3: a name that hides a port begins with an underscore.
        Some(name) => !name.is_empty() && name.bytes().all(hidden),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_hop_may_have_quotes_brackets_and_a_port() {
        for (text, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1:443", "192.0.2.1"),
            ("\"192.0.2.1:_hidden\"", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
        ] {
            let expected: IpAddr = expected.parse().unwrap();
            assert_eq!(address(text.as_bytes()), Some(expected), "{text}");
        }
        for text in [
            "",
            "\"",
            "unknown",
            "_hidden",
            "192.0.2",
            "192.0.2.1:",
            "192.0.2.1:port",
            "192.0.2.1:123456",
            "[192.0.2.1]",
            "[::1",
            "[::1]x",
            "[::1]:",
            "::1]",
            "a.test",
            "192.0.2.1 192.0.2.2",
            "\"192.0.2.1",
        ] {
            assert_eq!(address(text.as_bytes()), None, "{text}");
        }
    }
}
