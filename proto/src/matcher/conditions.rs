//! The conditions of routes, applied to requests.

use super::query;
use crate::model::{MatchedPath, RouteMatch};

/// What conditions look at, besides the path: a plain view of a request, as received.
pub trait MatchFacts {
    /// Returns the method.
    fn method(&self) -> &str;

    /// Returns the values of the fields with this name, without surrounding whitespace, in order. `name` is in lower case; names of fields
    /// are compared without case.
    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]>;

    /// Returns the query as received, without `?`; `None` if the target has none.
    fn query(&self) -> Option<&str>;
}

/// A GET without fields and query.
#[derive(Clone, Copy, Debug)]
pub struct PlainGet;

impl MatchFacts for PlainGet {
    fn method(&self) -> &'static str {
        "GET"
    }

    fn values(&self, _: &str) -> impl Iterator<Item = &[u8]> {
        std::iter::empty()
    }

    fn query(&self) -> Option<&str> {
        None
    }
}

impl RouteMatch {
    /// Reports whether the match of a route with this path holds for a request below the path. `reading` is the reading of the request's
    /// path. Takes no lock and does not allocate.
    pub(super) fn holds(&self, path: &str, reading: &str, facts: &impl MatchFacts) -> bool {
        // RFC 9110 section 9.1: a method is case-sensitive.
        let method = || {
            let method = facts.method();
            self.methods.is_empty() || self.methods.iter().any(|one| one.as_str() == method)
        };
        self.takes_path(path, reading) && method() && self.takes_fields(facts)
    }

    fn takes_path(&self, path: &str, reading: &str) -> bool {
        match self.path {
            MatchedPath::Prefix => true,
            MatchedPath::Exact => reading == path,
            MatchedPath::ExactWithSlash => reading.strip_suffix('/') == Some(path),
        }
    }

    fn takes_fields(&self, facts: &impl MatchFacts) -> bool {
        let header = |one: &crate::model::HeaderMatch| {
            let mut values = facts.values(&one.name);
            values.any(|value| one.value.holds(value))
        };
        let parameter = |one: &crate::model::QueryMatch| {
            let query = facts.query().unwrap_or_default();
            query::first_is(query, &one.name, &one.value)
        };
        self.headers.iter().all(header) && self.query.iter().all(parameter)
    }
}
