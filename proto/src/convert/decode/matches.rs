//! Decoding of the match of a route.

use crate::model::{
    HeaderMatch, MOST_CONDITIONS, MatchedPath, Method, QueryMatch, RouteMatch, ValueMatch,
    ValueRegex, check_value, lower_name,
};
use crate::wire::resource as wire;

/// The regular expressions of one host, each compiled once.
#[derive(Default)]
pub(super) struct Regexes(Vec<ValueRegex>);

impl Regexes {
    /// Reads a match of the route with this path.
    ///
    /// # Errors
    /// The first part that the model does not allow.
    pub(super) fn read_match(
        &mut self,
        wire: wire::RouteMatch,
        path: &str,
    ) -> Result<RouteMatch, String> {
        let most = [wire.methods.len(), wire.headers.len(), wire.query.len()];
        if most.into_iter().any(|count| count > MOST_CONDITIONS) {
            return Err(format!(
                "has more than {MOST_CONDITIONS} conditions of a kind"
            ));
        }
        let matches = RouteMatch {
            path: matched_path(wire.path(), path)?,
            methods: ascending(wire.methods.into_iter().map(|text| method(&text)))?,
            headers: self.headers(wire.headers)?,
            query: query(wire.query)?,
        };
        match matches.is_empty() {
            true => Err("has no condition".to_owned()),
            false => Ok(matches),
        }
    }

    fn headers(&mut self, wire: Vec<wire::HeaderMatch>) -> Result<Vec<HeaderMatch>, String> {
        let headers = wire.into_iter().map(|header| self.header(header));
        let headers: Vec<HeaderMatch> = headers.collect::<Result<_, String>>()?;
        match headers.is_sorted_by(|left, right| left.name < right.name) {
            true => Ok(headers),
            false => Err("headers are not strictly ascending by name".to_owned()),
        }
    }

    fn header(&mut self, wire: wire::HeaderMatch) -> Result<HeaderMatch, String> {
        let name = lower_name(&wire.name).map_err(|error| error.to_string())?;
        if name != wire.name {
            return Err(format!("the header {name} is not in lower case"));
        }
        let value = match wire.value {
            Some(wire::header_match::Value::Equal(value)) => {
                let checked = check_value(&name, &value).map_err(|error| error.to_string())?;
                if checked != value {
                    return Err(format!(
                        "the value of {name} begins or ends with white space"
                    ));
                }
                ValueMatch::Equal(checked)
            }
            Some(wire::header_match::Value::Regex(text)) => ValueMatch::Regex(self.regex(&text)?),
            None => {
                return Err(format!(
                    "the header {name} has no value that this release knows"
                ));
            }
        };
        Ok(HeaderMatch { name, value })
    }

    fn regex(&mut self, text: &str) -> Result<ValueRegex, String> {
        if let Some(known) = self.0.iter().find(|known| known.as_str() == text) {
            return Ok(known.clone());
        }
        let regex: ValueRegex = text.parse().map_err(|error| format!("{error}"))?;
        self.0.push(regex.clone());
        Ok(regex)
    }
}

fn matched_path(wire: wire::MatchedPath, path: &str) -> Result<MatchedPath, &'static str> {
    match wire {
        wire::MatchedPath::Prefix => Ok(MatchedPath::Prefix),
        wire::MatchedPath::Exact => Ok(MatchedPath::Exact),
        wire::MatchedPath::ExactWithSlash if path == "/" => {
            Err("the slash of / is its path, not a trailing one")
        }
        wire::MatchedPath::ExactWithSlash => Ok(MatchedPath::ExactWithSlash),
        wire::MatchedPath::Unspecified => {
            Err("is not a way to match a path that this release supports")
        }
    }
}

fn method(text: &str) -> Result<Method, String> {
    text.parse().map_err(|error| format!("{text:?} {error}"))
}

fn query(wire: Vec<wire::QueryMatch>) -> Result<Vec<QueryMatch>, String> {
    let query: Vec<QueryMatch> = wire
        .into_iter()
        .map(|one| QueryMatch {
            name: one.name,
            value: one.value,
        })
        .collect();
    if query.iter().any(|one| one.name.is_empty()) {
        return Err("a query parameter has no name".to_owned());
    }
    match query.is_sorted_by(|left, right| left.name < right.name) {
        true => Ok(query),
        false => Err("query parameters are not strictly ascending by name".to_owned()),
    }
}

/// Collects values that must be strictly ascending.
fn ascending<T: PartialOrd>(
    values: impl Iterator<Item = Result<T, String>>,
) -> Result<Vec<T>, String> {
    let values: Vec<T> = values.collect::<Result<_, String>>()?;
    match values.is_sorted_by(|left, right| left < right) {
        true => Ok(values),
        false => Err("methods are not strictly ascending".to_owned()),
    }
}
