//! The conditions of a route on the requests that it takes.

use std::fmt;

use crate::hash::Digest;
use crate::model::ValueRegex;

/// Maximum number of methods, of headers and of query parameters in one match.
pub const MOST_CONDITIONS: usize = 16;

/// Conditions on a request, besides its host and the path of the route. All of them must hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RouteMatch {
    /// The paths.
    pub path: MatchedPath,
    /// The methods, ascending; empty for all methods.
    pub methods: Vec<Method>,
    /// Conditions on header fields, ascending by name, each name once.
    pub headers: Vec<HeaderMatch>,
    /// Conditions on parameters of the query, ascending by name, each name once.
    pub query: Vec<QueryMatch>,
}

/// The paths that a route takes, relative to its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MatchedPath {
    /// The path and everything below it.
    #[default]
    Prefix,
    /// The path only, without a trailing slash.
    Exact,
    /// The path only, with a trailing slash. Not for `/`, whose slash is its path.
    ExactWithSlash,
}

/// A request method: a token, compared exactly.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Method(String);

/// A condition on the values of a header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderMatch {
    /// The name, in lower case.
    pub name: String,
    /// The value that at least one field of this name must have.
    pub value: ValueMatch,
}

/// A condition on a value.
#[derive(Clone, PartialEq, Eq)]
pub enum ValueMatch {
    /// Equal, byte by byte.
    Equal(String),
    /// Matched by a regular expression as a whole.
    Regex(ValueRegex),
}

/// A condition on a parameter of the query.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct QueryMatch {
    /// The name, decoded. Not empty.
    pub name: String,
    /// The value that the first parameter of this name must have, decoded.
    pub value: String,
}

/// The reason why a text is not a method that a route can take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidMethod {
    /// Not a token (RFC 9110 section 5.6.2), or longer than 32 bytes.
    #[error("is not a method: expected 1 to 32 letters, digits or !#$%&'*+-.^_`|~")]
    Token,
    /// The proxy answers it itself.
    #[error("never reaches a route: the proxy offers no tunnels")]
    Connect,
}

impl RouteMatch {
    /// Reports whether it has no condition, so that it matches every request.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns a number that identifies its conditions, in every process.
    pub fn key(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = *self.digest().as_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Returns the digest of its conditions: equal matches have equal digests.
    fn digest(&self) -> Digest {
        let path: &[u8] = match self.path {
            MatchedPath::Prefix => b"prefix",
            MatchedPath::Exact => b"exact",
            MatchedPath::ExactWithSlash => b"exact with slash",
        };
        let mut fields = vec![path];
        for method in &self.methods {
            fields.extend([b"method", method.as_str().as_bytes()]);
        }
        for HeaderMatch { name, value } in &self.headers {
            let (kind, text): (&[u8], _) = match value {
                ValueMatch::Equal(text) => (b"equal", text.as_str()),
                ValueMatch::Regex(regex) => (b"regex", regex.as_str()),
            };
            fields.extend([kind, name.as_bytes(), text.as_bytes()]);
        }
        for QueryMatch { name, value } in &self.query {
            fields.extend([b"query", name.as_bytes(), value.as_bytes()]);
        }
        Digest::of_fields(&fields)
    }

    /// Reports whether this match holds for every request for which `other`, a match of the same path, holds. `false` if that is not
    /// certain: two regular expressions are compared as texts.
    pub fn covers(&self, other: &Self) -> bool {
        let path = self.path == MatchedPath::Prefix || self.path == other.path;
        let method = |method| self.methods.contains(method);
        let methods = self.methods.is_empty()
            || !other.methods.is_empty() && other.methods.iter().all(method);
        let covered = |header: &HeaderMatch| other.headers.iter().any(|one| header.covers(one));
        path && methods
            && self.headers.iter().all(covered)
            && self.query.iter().all(|one| other.query.contains(one))
    }
}

/// Returns the routes of one path that no request reaches, by the index of the route and of an earlier one that takes all of its requests.
/// `matches`: the matches of the routes, in the order in which they are tried.
pub fn never_reached(matches: &[Option<&RouteMatch>]) -> Vec<(usize, usize)> {
    let covers = |early: &Option<&RouteMatch>, late: Option<&RouteMatch>| match (early, late) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(early), Some(late)) => early.covers(late),
    };
    let late = matches.iter().enumerate();
    late.filter_map(|(at, late)| {
        let early = matches[..at].iter().position(|early| covers(early, *late));
        early.map(|early| (at, early))
    })
    .collect()
}

impl HeaderMatch {
    fn covers(&self, other: &Self) -> bool {
        let value = match (&self.value, &other.value) {
            (ValueMatch::Regex(regex), ValueMatch::Equal(value)) => regex.matches(value.as_bytes()),
            (own, others) => own == others,
        };
        self.name == other.name && value
    }
}

impl Method {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Method {
    type Err = InvalidMethod;

    fn from_str(text: &str) -> Result<Self, InvalidMethod> {
        // RFC 9110 section 9.1: a method is a token, and is case-sensitive.
        if !super::header::is_token(text) || text.len() > 32 {
            return Err(InvalidMethod::Token);
        }
        if text == "CONNECT" {
            return Err(InvalidMethod::Connect);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ValueMatch {
    /// Reports whether a value has what is asked for.
    pub fn holds(&self, value: &[u8]) -> bool {
        match self {
            Self::Equal(text) => text.as_bytes() == value,
            Self::Regex(regex) => regex.matches(value),
        }
    }
}

impl fmt::Debug for ValueMatch {
    /// Without the value, which may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal(_) => "Equal",
            Self::Regex(_) => "Regex",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_a_token_that_can_reach_a_route() {
        assert_eq!(
            "GET".parse::<Method>().map(|method| method.to_string()),
            Ok("GET".to_owned())
        );
        for text in ["", "GET POST", "G,T", &"A".repeat(33)] {
            assert_eq!(text.parse::<Method>(), Err(InvalidMethod::Token), "{text}");
        }
        assert_eq!("CONNECT".parse::<Method>(), Err(InvalidMethod::Connect));
    }

    #[test]
    fn the_value_of_a_header_is_not_printed() {
        let value = ValueMatch::Equal("hunter2".to_owned());
        assert_eq!(format!("{value:?}"), "Equal");
    }
}
