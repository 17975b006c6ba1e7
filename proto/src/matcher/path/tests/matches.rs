//! Routes with matches: a slow reference that compares a request with every route, and the two ways of saying the same.

use std::sync::Arc;

use proptest::prelude::*;

use super::slow::{forwarded, paths, readings};
use crate::matcher::{InvalidPath, MatchFacts, PathIndex, RequestPath};
use crate::model::{
    HeaderMatch, MatchedPath, QueryMatch, RouteMatch, ValueMatch, ValueRegex, never_reached,
};

/// A request without its path.
#[derive(Clone, Debug, Default)]
struct Seen {
    method: &'static str,
    fields: Vec<(&'static str, &'static str)>,
    query: Option<String>,
}

impl MatchFacts for Seen {
    fn method(&self) -> &str {
        self.method
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        let named = self.fields.iter();
        let named = named.filter(move |(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_bytes())
    }

    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }
}

/// A path with a match.
type Case = (&'static str, Option<RouteMatch>);

fn index(routes: &[Case]) -> PathIndex<usize> {
    let routes = routes.iter().enumerate();
    let route = |(at, (path, matches)): (usize, &Case)| {
        (Arc::from(*path), matches.clone().map(Arc::new), at)
    };
    routes.map(route).collect()
}

fn select(routes: &[Case], path: &str, seen: &Seen) -> Result<Option<usize>, InvalidPath> {
    let path = RequestPath::parse(path)?;
    Ok(index(routes).select(&path, seen)?.copied())
}

/// Reports whether a match holds, step by step on whole texts.
fn holds(matches: &RouteMatch, path: &str, reading: &str, seen: &Seen) -> bool {
    let path = match matches.path {
        MatchedPath::Prefix => true,
        MatchedPath::Exact => reading == path,
        MatchedPath::ExactWithSlash => reading == format!("{path}/"),
    };
    let methods: Vec<String> = matches.methods.iter().map(ToString::to_string).collect();
    let method = methods.is_empty() || methods.contains(&seen.method.to_owned());
    let header = |header: &HeaderMatch| {
        let fields = seen.fields.iter();
        let values = fields.filter(|(name, _)| name.to_ascii_lowercase() == header.name);
        values.into_iter().any(|(_, value)| match &header.value {
            ValueMatch::Equal(text) => text == value,
            ValueMatch::Regex(_) => ["1", "2"].contains(value),
        })
    };
    let decoded = |text: &str| {
        text.replace('+', " ")
            .replace("%20", " ")
            .replace("%71", "q")
    };
    let parameters: Vec<(String, String)> = seen
        .query
        .iter()
        .flat_map(|query| query.split('&'))
        .map(|one| one.split_once('=').unwrap_or((one, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let query = |one: &QueryMatch| {
        let first = parameters.iter().find(|(name, _)| *name == one.name);
        first.is_some_and(|(_, value)| *value == one.value)
    };
    path && method && matches.headers.iter().all(header) && matches.query.iter().all(query)
}

/// Returns the route that a reading selects, by comparing it with every route.
fn naive(routes: &[Case], reading: &str, seen: &Seen) -> Option<usize> {
    let slashed = format!("{}/", reading.trim_end_matches('/'));
    let takes = |(_, (path, matches)): &(usize, &Case)| {
        slashed.starts_with(&format!("{}/", path.trim_end_matches('/')))
            && matches
                .as_ref()
                .is_none_or(|matches| holds(matches, path, reading, seen))
    };
    let taking = routes.iter().enumerate().filter(takes);
    let best = taking.min_by_key(|(at, (path, _))| (usize::MAX - path.len(), *at));
    best.map(|(at, _)| at)
}

fn matches() -> impl Strategy<Value = Option<RouteMatch>> {
    let regex: ValueRegex = "[12]".parse().unwrap();
    let path = prop_oneof![
        3 => Just(MatchedPath::Prefix),
        1 => Just(MatchedPath::Exact),
        1 => Just(MatchedPath::ExactWithSlash),
    ];
    let methods = prop::sample::subsequence(vec!["GET", "POST"], 0..2);
    let value = prop_oneof![
        Just(ValueMatch::Equal("1".to_owned())),
        Just(ValueMatch::Equal("2".to_owned())),
        Just(ValueMatch::Regex(regex)),
    ];
    let headers =
        prop::collection::btree_map(prop::sample::select(vec!["x-a", "x-b"]), value, 0..2);
    let query = prop::collection::btree_map(
        prop::sample::select(vec!["q", "a b"]),
        prop::sample::select(vec!["1", "", "x y"]),
        0..2,
    );
    (path, methods, headers, query).prop_map(|(path, methods, headers, query)| {
        let matches = RouteMatch {
            path,
            methods: methods
                .iter()
                .map(|method| method.parse().unwrap())
                .collect(),
            headers: headers
                .into_iter()
                .map(|(name, value)| HeaderMatch {
                    name: name.to_owned(),
                    value,
                })
                .collect(),
            query: query
                .into_iter()
                .map(|(name, value)| QueryMatch {
                    name: name.to_owned(),
                    value: value.to_owned(),
                })
                .collect(),
        };
        (!matches.is_empty()).then_some(matches)
    })
}

fn routes() -> impl Strategy<Value = Vec<Case>> {
    let path = prop::sample::select(vec!["/", "/a", "/a/b", "/a/a", "/b", "/A"]);
    prop::collection::vec((path, matches()), 0..10)
}

fn seen() -> impl Strategy<Value = Seen> {
    let fields = vec![
        ("X-A", "1"),
        ("x-a", "2"),
        ("x-b", "1"),
        ("X-B", "3"),
        ("x-c", "1"),
    ];
    let pieces = vec![
        "q=1",
        "q=",
        "q",
        "%71=x+y",
        "a+b=1",
        "a%20b=x%20y",
        "q=3",
        "",
    ];
    (
        prop::sample::select(vec!["GET", "POST", "PUT", "get"]),
        prop::sample::subsequence(fields, 0..4),
        prop::option::of(prop::collection::vec(prop::sample::select(pieces), 0..4)),
    )
        .prop_map(|(method, fields, query)| Seen {
            method,
            fields,
            query: query.map(|pieces| pieces.join("&")),
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_selects_what_comparing_each_of_its_readings_with_every_route_selects(
        routes in routes(),
        path in paths(),
        seen in seen(),
    ) {
        let expected = forwarded(&path).and_then(|path| {
            let found: Option<Vec<_>> = readings(&path)
                .map(|reading| Some(naive(&routes, &reading?, &seen)))
                .collect();
            let mut found = found?;
            found.dedup();
            (found.len() == 1).then(|| found[0])
        });
        prop_assert_eq!(select(&routes, &path, &seen).ok(), expected, "{} {:?}", path, routes);
    }

    #[test]
    fn routes_without_matches_select_the_same_next_to_a_host_of_plain_routes(
        paths in prop::sample::subsequence(vec!["/", "/a", "/a/b", "/b"], 0..4),
        path in paths(),
        seen in seen(),
    ) {
        let plain: Vec<Case> = paths.iter().map(|path| (*path, None)).collect();
        // A route that is never reached makes the index look at conditions.
        let never = RouteMatch { methods: vec!["NEVER".parse().unwrap()], ..RouteMatch::default() };
        let mut mixed = plain.clone();
        mixed.push(("/z/z", Some(never)));
        prop_assert_eq!(select(&plain, &path, &seen), select(&mixed, &path, &seen));
    }

    #[test]
    fn a_route_that_is_said_to_be_never_reached_is_never_selected(
        matches in prop::collection::vec(matches(), 1..5),
        path in prop::sample::select(vec!["/a", "/a/", "/a/b"]),
        seen in seen(),
    ) {
        let routes: Vec<Case> = matches.iter().map(|matches| ("/a", matches.clone())).collect();
        let all: Vec<Option<&RouteMatch>> = matches.iter().map(Option::as_ref).collect();
        let selected = select(&routes, path, &seen).unwrap();
        for (late, _) in never_reached(&all) {
            prop_assert_ne!(selected, Some(late), "{:?}", matches);
        }
    }
}

#[test]
fn an_exact_route_takes_its_path_only_and_leaves_the_rest_to_shorter_paths() {
    let exact = |path| {
        Some(RouteMatch {
            path,
            ..RouteMatch::default()
        })
    };
    let routes = [
        ("/", None),
        ("/foo", exact(MatchedPath::Exact)),
        ("/bar", exact(MatchedPath::ExactWithSlash)),
    ];
    for (path, expected) in [
        ("/foo", 1),
        ("//foo", 1),
        ("/foo;v=1", 1),
        ("/%66oo", 1),
        ("/foo/", 0),
        ("/foo/x", 0),
        ("/foo%2F", 0),
        ("/bar", 0),
        ("/bar/", 2),
        ("/bar//", 2),
        ("/bar/x", 0),
    ] {
        let found = select(&routes, path, &Seen::default());
        assert_eq!(found, Ok(Some(expected)), "{path}");
    }
    for path in ["/foo%3Fx", "/foo%3Bx", "/bar%2F"] {
        let found = select(&routes, path, &Seen::default());
        assert_eq!(found, Err(InvalidPath::OtherRoute), "{path}");
    }
}
