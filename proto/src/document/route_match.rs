//! `match`: the conditions of a route.

use serde_json::{Value as Json, json};

use crate::model::{
    HeaderMatch, InvalidRegex, MOST_CONDITIONS, MatchedPath, Method, QueryMatch, RouteMatch,
    ValueMatch, ValueRegex, check_value, lower_name,
};
use crate::reading::{FromYaml, OneOrMany, Reader, Spanned, keys, shown, text};
use crate::yaml::{Entry, Node, Spot, Value};

keys! {
    /// Conditions on the requests below a path. All of them must hold.
    MatchKeys "in match";
    /// Match the path only, not what is below it. A trailing slash counts: `/a` does not match `/a/`.
    exact => bool,
    /// The methods.
    methods => OneOrMany<Method>,
    /// Headers with the value that a field of each must have: a text, or a map of regex.
    headers => HeaderMatches,
    /// Parameters of the query with the value that the first of each name must have, decoded.
    query => QueryMatches,
}

/// Methods in lower case that were meant in upper case.
const COMMON_METHODS: [&str; 8] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
];

/// `headers` of a match, ascending by name.
pub(crate) struct HeaderMatches(Vec<HeaderMatch>);

/// `query` of a match, ascending by name.
pub(crate) struct QueryMatches(Vec<QueryMatch>);

keys! {
    /// A condition on a value other than being equal to a text.
    ValueKeys "at a value";
    /// A regular expression that matches the whole value.
    regex => WrittenRegex,
}

/// A regular expression.
pub(crate) struct WrittenRegex(ValueRegex);

impl MatchKeys {
    /// Returns the conditions. `None` if there are none. `slash`: the path of the route is written with a trailing slash.
    pub(crate) fn lower(self, slash: bool, reader: &mut Reader<'_>) -> Option<RouteMatch> {
        let exact = self.exact.is_some_and(|exact| exact.value);
        let matches = RouteMatch {
            path: match (exact, slash) {
                (false, _) => MatchedPath::Prefix,
                (true, false) => MatchedPath::Exact,
                (true, true) => MatchedPath::ExactWithSlash,
            },
            methods: self
                .methods
                .map_or_else(Vec::new, |methods| sorted(&methods, reader)),
            headers: self
                .headers
                .map_or_else(Vec::new, |headers| headers.value.0),
            query: self.query.map_or_else(Vec::new, |query| query.value.0),
        };
        (!matches.is_empty()).then_some(matches)
    }
}

/// Returns the methods in the order in which they are compared.
fn sorted(methods: &Spanned<OneOrMany<Method>>, reader: &mut Reader<'_>) -> Vec<Method> {
    let mut sorted: Vec<Method> = methods.value.iter().cloned().collect();
    sorted.sort();
    sorted.dedup();
    let count = methods.value.iter().count();
    reader.under("methods", |reader| {
        if sorted.len() < count {
            reader.note(methods.at, "lists a method twice");
        }
        refuse_many(sorted.len(), methods.at, reader);
    });
    sorted
}

fn refuse_many(count: usize, at: Spot, reader: &mut Reader<'_>) {
    if count > MOST_CONDITIONS {
        reader.fault(at, format!("has more than {MOST_CONDITIONS} entries"));
    }
}

impl FromYaml for Method {
    const EXPECTED: &'static str = "a method such as GET";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let text = text(node, reader, Self::EXPECTED)?;
        let upper = text.to_ascii_uppercase();
        if text != upper && COMMON_METHODS.contains(&upper.as_str()) {
            let reason = format!(
                "`{text}` is not sent by clients: methods are compared exactly (did you mean `{upper}`?)"
            );
            reader.fault(node.at(), reason);
            return None;
        }
        text.parse()
            .map_err(|error| reader.fault(node.at(), format!("`{}` {error}", shown(text))))
            .ok()
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$" })
    }
}

impl FromYaml for HeaderMatches {
    const EXPECTED: &'static str = "a map of header names and values";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let mut all: Vec<HeaderMatch> = read_named(node, reader, Self::EXPECTED, header)?;
        all.sort_by(|left, right| left.name.cmp(&right.name));
        if let Some(twice) = all.windows(2).find(|two| two[0].name == two[1].name) {
            let reason = format!("names the header {} twice", twice[0].name);
            reader.fault(node.at(), reason);
            return None;
        }
        Some(Self(all))
    }

    fn schema() -> Json {
        let value = json!({ "anyOf": [text_schema(), ValueKeys::schema()] });
        json!({ "type": "object", "minProperties": 1, "additionalProperties": value })
    }
}

impl FromYaml for QueryMatches {
    const EXPECTED: &'static str = "a map of parameter names and values";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let mut all = read_named(node, reader, Self::EXPECTED, parameter)?;
        all.sort();
        Some(Self(all))
    }

    fn schema() -> Json {
        json!({ "type": "object", "minProperties": 1, "additionalProperties": text_schema() })
    }
}

/// Reads a map with at least one entry, each with its own name. One faulty entry makes the whole map faulty.
fn read_named<'t, T>(
    node: Node<'t>,
    reader: &mut Reader<'t>,
    expected: &str,
    read: impl Fn(Entry<'t>, &mut Reader<'t>) -> Option<T>,
) -> Option<Vec<T>> {
    let Value::Mapping(entries) = node.value() else {
        return reader.mismatch(node, expected);
    };
    if entries.is_empty() {
        reader.fault(node.at(), format!("is empty; expected {expected}"));
        return None;
    }
    refuse_many(entries.take(MOST_CONDITIONS + 1).count(), node.at(), reader);
    let all: Vec<Option<T>> = entries
        .map(|entry| reader.under(entry.key, |reader| read(entry, reader)))
        .collect();
    all.into_iter().collect()
}

fn header<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<HeaderMatch> {
    let name = lower_name(entry.key)
        .map_err(|error| reader.fault(entry.at, error.to_string()))
        .ok();
    if name.as_deref() == Some("host") {
        let reason = "is matched by the name of the host that contains the route; remove it";
        reader.fault(entry.at, reason);
        return None;
    }
    let value = match entry.value.value() {
        Value::Mapping(_) => {
            let keys = ValueKeys::read(entry.value, reader)?;
            if entry.value.get("regex").is_none() {
                reader.fault(entry.value.at(), "expected a value, or a map with `regex`");
            }
            ValueMatch::Regex(keys.regex?.value.0)
        }
        _ => {
            let text = scalar(entry.value, reader, "a value, or a map of regex")?;
            let checked = check_value(entry.key, text);
            let checked =
                checked.map_err(|error| reader.fault(entry.value.at(), error.to_string()));
            ValueMatch::Equal(checked.ok()?)
        }
    };
    Some(HeaderMatch { name: name?, value })
}

fn parameter<'t>(entry: Entry<'t>, reader: &mut Reader<'t>) -> Option<QueryMatch> {
    let value = scalar(entry.value, reader, "a value")?;
    if entry.key.is_empty() {
        reader.fault(entry.at, "expected the name of a parameter, found nothing");
        return None;
    }
    if let Some(escape) = [entry.key, value].into_iter().find_map(escape) {
        let reason = format!(
            "is compared with the decoded query, in which `{escape}` stands for itself; write the decoded character if that is meant"
        );
        reader.note(entry.value.at(), reason);
    }
    Some(QueryMatch {
        name: entry.key.to_owned(),
        value: value.to_owned(),
    })
}

/// Returns the first escape in a text.
fn escape(text: &str) -> Option<&str> {
    let escaped = |at: usize| {
        let escape = text.get(at..at + 3)?;
        let digits = escape[1..].bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then_some(escape)
    };
    text.match_indices('%').find_map(|(at, _)| escaped(at))
}

/// Returns the text of any scalar: `true` and `1` are values that headers have.
fn scalar<'t>(node: Node<'t>, reader: &mut Reader<'t>, expected: &str) -> Option<&'t str> {
    match node.value() {
        Value::Scalar(scalar) if !scalar.is_null() => Some(scalar.text),
        _ => reader.mismatch(node, expected),
    }
}

impl FromYaml for WrittenRegex {
    const EXPECTED: &'static str = "a regular expression";

    fn read<'t>(node: Node<'t>, reader: &mut Reader<'t>) -> Option<Self> {
        let text = text(node, reader, Self::EXPECTED)?;
        let regex: Result<ValueRegex, InvalidRegex> = text.parse();
        regex
            .map_err(|error| reader.fault(node.at(), error.to_string()))
            .ok()
            .map(Self)
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

/// Returns the schema of a value that is compared as text.
fn text_schema() -> Json {
    json!({ "type": ["string", "number", "boolean"] })
}
