//! Endpoints: one address each.

use std::fmt::{self, Write as _};
use std::net::SocketAddr;
use std::str::FromStr;

/// Where an endpoint listens: an IP address and a port other than 0. Host names are resolved by control, never by a proxy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EndpointAddress(SocketAddr);

/// Why a text is not an endpoint's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAddress(String);

impl EndpointAddress {
    /// The address.
    pub const fn socket(self) -> SocketAddr {
        self.0
    }

    /// Whether this is the text of the address as it is shown, to the byte.
    pub fn is_written(self, text: &str) -> bool {
        let mut rest = Rest(text);
        write!(rest, "{self}").is_ok() && rest.0.is_empty()
    }
}

/// What is left of a text that is compared with what is written, without writing it anywhere.
struct Rest<'a>(&'a str);

impl fmt::Write for Rest<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.0 = self.0.strip_prefix(part).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl fmt::Display for EndpointAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for EndpointAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let invalid = |reason: &str| InvalidAddress(format!("{text:?} is not ip:port: {reason}"));
        let (host, port) = text
            .rsplit_once(':')
            .ok_or_else(|| invalid("the port is missing"))?;
        if text.parse::<std::net::Ipv6Addr>().is_ok() {
            return Err(invalid(
                "an IPv6 address stands in brackets before its port, as [::1]:80",
            ));
        }
        match port.parse::<u32>() {
            Ok(1..=65_535) if port.bytes().all(|byte| byte.is_ascii_digit()) => {}
            Ok(_) => return Err(invalid("a port is 1 to 65535")),
            Err(_) => return Err(invalid("the port is not a number from 1 to 65535")),
        }
        let address: SocketAddr = text
            .parse()
            .map_err(|_| invalid(&format!("{host:?} is not an IP address")))?;
        if address.ip().is_unspecified() {
            return Err(invalid("nothing can be reached at the unspecified address"));
        }
        Ok(Self(address))
    }
}

/// Who names an endpoint: no record has two owners.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndpointOwner {
    /// A document.
    Document,
    /// A source that finds endpoints.
    Source,
}

/// Whether an endpoint takes new requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EndpointState {
    /// Takes requests.
    #[default]
    Ready,
    /// Finishes what it has.
    Draining,
}

/// One endpoint of a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Where it listens; its identity within the pool.
    pub address: EndpointAddress,
    /// Its share of the requests, at least 1.
    pub weight: u16,
    /// 0 serves first; the next tier only where the one before has nothing live.
    pub tier: u8,
    /// Whether it takes new requests.
    pub state: EndpointState,
}

impl Endpoint {
    /// A ready endpoint of weight 1 in the first tier.
    pub const fn new(address: EndpointAddress) -> Self {
        Self {
            address,
            weight: 1,
            tier: 0,
            state: EndpointState::Ready,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_that_is_shown_is_how_an_address_is_written() {
        for shown in ["127.0.0.1:80", "[::1]:8080", "[2001:db8::7]:1"] {
            let address: EndpointAddress = shown.parse().unwrap();
            assert!(address.is_written(shown));
            for other in [&shown[..shown.len() - 1], &format!("{shown}0"), "", "x"] {
                assert!(!address.is_written(other), "{other}");
            }
        }
        let address: EndpointAddress = "[::1]:80".parse().unwrap();
        assert!(!address.is_written("[0::1]:80") && !address.is_written("[::1]:080"));
    }
}
