//! Names of hosts, pools, groups and nodes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::model::{EndpointAddress, RouteMatch};

/// The reason why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(pub String);

/// The hosts that a virtual host serves. Lower case, without port or trailing dot, in punycode.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostPattern {
    /// One name or address.
    Exact(Arc<str>),
    /// All names below this one, at any depth; written `*.NAME`, held without the `*.`.
    Suffix(Arc<str>),
    /// All hosts that no other pattern matches; written `DEFAULT`.
    CatchAll,
}

impl HostPattern {
    /// The written form of the catch-all. Host names are lower case, so none collides with it.
    pub const CATCH_ALL: &str = "DEFAULT";
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Suffix(name) => write!(f, "*.{name}"),
            Self::CatchAll => f.write_str(Self::CATCH_ALL),
        }
    }
}

impl fmt::Debug for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for HostPattern {
    type Err = InvalidName;

    /// Parses a pattern as written in a document, and normalises the name.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text == Self::CATCH_ALL {
            return Ok(Self::CatchAll);
        }
        let invalid = |reason: &str| InvalidName(format!("{text:?} {reason}"));
        match text.strip_prefix("*.") {
            Some(suffix) => match crate::matcher::normalise_host(suffix) {
                Ok(name) if name.parse::<std::net::IpAddr>().is_ok() || name.starts_with('[') => {
                    Err(invalid("has a wildcard before an IP address"))
                }
                Ok(name) => Ok(Self::Suffix(name.as_ref().into())),
                Err(reason) => Err(invalid(&format!("is not a host name: {reason}"))),
            },
            None => crate::matcher::normalise_host(text)
                .map(|name| Self::Exact(name.as_ref().into()))
                .map_err(|reason| invalid(&format!("is not a host name: {reason}"))),
        }
    }
}

/// The name of a pool. For the servers of a route it is the host pattern followed by the path, such as `a.example/app`. Never contains a
/// space.
///
/// The state of a pool (its position, the rests of its endpoints) belongs to its name, so a name says what the pool is for, and not where
/// its route stands: `a.example/app#` and 16 digits, a digest of the match, for a route with a match. Routes of the path can thus be added
/// and moved; one whose match is edited is another route. `#1`, `#2` and so on are appended for the pools of a split: their weights and
/// servers can be edited, and further pools added at the end. No path contains `#`. `server:` and an address is the pool of a server that
/// rules name, such as the one of `authorization: forward`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PoolName(Arc<str>);

impl PoolName {
    /// Returns the name of the pool for the servers of a route.
    pub fn of_route(host: &HostPattern, path: &str) -> Self {
        Self(format!("{host}{path}").into())
    }

    /// Returns the name of the pool for the servers of a route with a match. `self` is the name for its path.
    #[must_use]
    pub fn of_match(&self, matches: &RouteMatch) -> Self {
        Self(format!("{self}#{:016x}", matches.key()).into())
    }

    /// Returns the name of one of the pools of a route. `self` is the name for the route; numbers begin at 1.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        Self(format!("{self}#{number}").into())
    }

    /// Returns the name of the pool for a server that rules name by its address. No pool of a route has this name, which contains no slash.
    pub fn of_server(address: &EndpointAddress) -> Self {
        Self(format!("server:{address}").into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the text, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl std::borrow::Borrow<str> for PoolName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PoolName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PoolName {
    fn check(text: &str) -> Result<(), InvalidName> {
        if text.is_empty() || text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(InvalidName(format!(
                "{text:?} is not a pool name: it is empty or contains a space or control byte"
            )));
        }
        Ok(())
    }
}

impl FromStr for PoolName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }
}

impl TryFrom<Arc<str>> for PoolName {
    type Error = InvalidName;

    /// Like parsing, but shares the text.
    fn try_from(text: Arc<str>) -> Result<Self, InvalidName> {
        Self::check(&text)?;
        Ok(Self(text))
    }
}

fn check_label(what: &str, text: &str) -> Result<(), InvalidName> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if text.is_empty() || text.len() > 128 || !text.bytes().all(fits) {
        return Err(InvalidName(format!(
            "{text:?} is not a {what} name: expected 1 to 128 letters, digits, '-', '_' and '.'"
        )));
    }
    Ok(())
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                check_label($what, text)?;
                Ok(Self(text.into()))
            }
        }
    };
}

label!(
    /// The name of a node: one proxy.
    NodeName,
    "node"
);
label!(
    /// The name of a group of nodes that share a view.
    GroupName,
    "group"
);

impl Default for GroupName {
    /// Returns the group of nodes that configure no group: `default`.
    fn default() -> Self {
        Self("default".into())
    }
}
