//! Where the values of a route were written.

use std::fmt;

use aralez_proto::document::{AuthoredHost, Places};
use aralez_proto::rules::Rules;
use serde::Serialize;

use super::Configuration;

/// A place in a document. Lines and columns count from 1.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(crate) struct Place {
    file: String,
    line: u32,
    column: u32,
}

impl Place {
    pub(super) const fn new(file: String, (line, column): (u32, u32)) -> Self {
        Self { file, line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column } = self;
        write!(f, "{file}:{line}:{column}")
    }
}

/// A value of a rule, as written in one scope.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(crate) struct Written {
    /// `top`, `host` or `path`.
    pub(crate) scope: &'static str,
    /// The place of the value.
    pub(crate) place: Place,
}

/// A rule that applies to a request, with the scope that sets it.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
pub(crate) struct Setting {
    /// The key.
    pub(crate) key: String,
    /// The value, without secrets.
    pub(crate) value: String,
    /// Where it was written. `None` only for a value that no document contains.
    #[serde(flatten)]
    pub(crate) written: Option<Written>,
}

/// The scopes of a route, or of a request that has none.
#[derive(Clone, Copy)]
pub(crate) struct Scopes<'a> {
    configuration: &'a Configuration,
    /// The host and the index of the route among its routes.
    route: Option<(&'a AuthoredHost, usize)>,
}

impl<'a> Scopes<'a> {
    /// Returns the scopes of a route of a host; without one, only the top.
    pub(crate) const fn new(
        configuration: &'a Configuration,
        route: Option<(&'a AuthoredHost, usize)>,
    ) -> Self {
        Self {
            configuration,
            route,
        }
    }

    /// Returns where a value was written that applies: in the narrowest scope that sets it.
    pub(crate) fn written(&self, key: &str) -> Option<Written> {
        self.all_written(key).pop()
    }

    /// Returns all places where scopes set a value, the widest scope first.
    pub(crate) fn all_written(&self, key: &str) -> Vec<Written> {
        let configuration = self.configuration;
        let top = configuration.authored.places.of(key);
        let top = top.map(|position| Written {
            scope: "top",
            place: configuration.place_in_main(position),
        });
        let inner = self.route.into_iter().flat_map(|(host, index)| {
            let path = host.route_places.get(index);
            let inner = [("host", Some(&host.places)), ("path", path)];
            inner.into_iter().filter_map(move |(scope, places)| {
                let position = places.and_then(|places: &Places| places.of(key))?;
                let place = configuration.place_in(host, position);
                Some(Written { scope, place })
            })
        });
        top.into_iter().chain(inner).collect()
    }

    /// Returns the rules that the route itself sets.
    pub(crate) fn own(&self) -> Option<&'a Rules> {
        let (host, index) = self.route?;
        host.host.routes.get(index).map(|route| &route.rules)
    }

    /// Returns a rule with its place.
    pub(crate) fn setting(&self, key: &str, value: String) -> Setting {
        Setting {
            key: key.to_owned(),
            value,
            written: self.written(key),
        }
    }
}
