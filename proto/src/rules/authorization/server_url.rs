//! The URL of a server that decides about requests.

use std::fmt;
use std::str::FromStr;

use crate::matcher::Scheme;
use crate::model::{EndpointAddress, PoolName, check_url_characters};

/// An `http` URL whose host is an IP address. Contains only characters of a URL, so that it cannot split a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerUrl {
    text: Box<str>,
    /// Length of the part before the path.
    before_path: usize,
    address: EndpointAddress,
    pool: PoolName,
}

/// The reason why a text is not such a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidServerUrl(&'static str);

/// The scheme, as every [`ServerUrl`] is written.
const SCHEME: &str = "http://";

impl ServerUrl {
    /// Returns host and port as written: the `Host` of requests to the server.
    pub fn authority(&self) -> &str {
        &self.text[SCHEME.len()..self.before_path]
    }

    /// Returns path and query: the target of requests to the server.
    pub fn path_and_query(&self) -> &str {
        match &self.text[self.before_path..] {
            "" => "/",
            path => path,
        }
    }

    /// Returns the address of the server.
    pub const fn address(&self) -> &EndpointAddress {
        &self.address
    }

    /// Returns the name of the server's pool. All rules with the same address share the pool.
    pub const fn pool(&self) -> &PoolName {
        &self.pool
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ServerUrl {
    type Err = InvalidServerUrl;

    fn from_str(text: &str) -> Result<Self, InvalidServerUrl> {
        let (scheme, rest) = Scheme::split(text).ok_or(InvalidServerUrl(
            "is not a URL such as http://127.0.0.1:9091/api/verify",
        ))?;
        if scheme == Scheme::Https {
            return Err(InvalidServerUrl(
                "has the scheme https, which this release does not support towards the server; use http",
            ));
        }
        check_url_characters(rest).map_err(InvalidServerUrl)?;
        if rest.contains('#') {
            return Err(InvalidServerUrl(
                "has a fragment, which no server would see",
            ));
        }
        let length = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(length);
        if path.starts_with('?') {
            return Err(InvalidServerUrl("has a query without a path before it"));
        }
        let address = address_of(authority).map_err(InvalidServerUrl)?;
        let pool = PoolName::of_server(&address);
        Ok(Self {
            text: format!("{SCHEME}{rest}").into(),
            before_path: SCHEME.len() + length,
            address,
            pool,
        })
    }
}

/// Returns the address that an authority names.
fn address_of(authority: &str) -> Result<EndpointAddress, &'static str> {
    if authority.contains('@') {
        return Err("has a user name, which is not sent; remove it");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        // RFC 9110 section 4.2.1: the default port of http is 80.
        _ => (authority, "80"),
    };
    if host.is_empty() {
        return Err("names no host");
    }
    format!("{host}:{port}").parse().map_err(|_| {
        match host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || host.starts_with('[') {
            true => "has an address or a port that is not valid",
            false => "has a host name, which this release does not support for the server; use its IP address",
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_an_address_a_host_field_and_a_target() {
        for (text, address, authority, target) in [
            (
                "http://127.0.0.1:9091/api/verify?rd=x",
                "127.0.0.1:9091",
                "127.0.0.1:9091",
                "/api/verify?rd=x",
            ),
            ("HTTP://127.0.0.1", "127.0.0.1:80", "127.0.0.1", "/"),
            ("http://[::1]:4180/", "[::1]:4180", "[::1]:4180", "/"),
            ("http://[::1]/a", "[::1]:80", "[::1]", "/a"),
        ] {
            let url: ServerUrl = text.parse().unwrap();
            let parts = (
                url.address().to_string(),
                url.authority(),
                url.path_and_query(),
            );
            assert_eq!(parts, (address.to_owned(), authority, target), "{text}");
            assert_eq!(url.to_string().parse(), Ok(url.clone()));
            // No path of a route has a pool of this name.
            assert!(!url.pool().as_str().contains('/'));
        }
    }

    #[test]
    fn a_url_that_is_not_supported_is_refused_with_the_reason() {
        for (text, reason) in [
            ("127.0.0.1:80/x", "is not a URL"),
            ("ftp://127.0.0.1/", "is not a URL"),
            ("https://127.0.0.1/", "https"),
            ("http://auth.example/verify", "host name"),
            ("http://localhost:9091/", "host name"),
            ("http://127.0.0.1:99999/", "address or a port"),
            ("http://127.0.0.300/", "address or a port"),
            ("http://:80/", "no host"),
            ("http://", "no host"),
            ("http://u:p@127.0.0.1/", "user name"),
            ("http://127.0.0.1/#x", "fragment"),
            ("http://127.0.0.1?x", "without a path"),
            ("http://127.0.0.1/a b", "character"),
            ("http://127.0.0.1/\r\nx: y", "character"),
        ] {
            let found = text.parse::<ServerUrl>().unwrap_err().to_string();
            assert!(found.contains(reason), "{text:?}: {found}");
        }
    }
}
