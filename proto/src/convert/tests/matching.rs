//! Routes with matches and splits.

use std::sync::Arc;

use super::*;
use crate::feature;
use crate::wire::resource as sent;

fn matched() -> RouteMatch {
    RouteMatch {
        path: MatchedPath::ExactWithSlash,
        methods: vec!["GET".parse().unwrap(), "POST".parse().unwrap()],
        headers: vec![
            HeaderMatch {
                name: "x-a".to_owned(),
                value: ValueMatch::Equal("1".to_owned()),
            },
            HeaderMatch {
                name: "x-b".to_owned(),
                value: ValueMatch::Regex("v[12]".parse().unwrap()),
            },
        ],
        query: vec![QueryMatch {
            name: "q".to_owned(),
            value: "a b".to_owned(),
        }],
    }
}

fn route(matches: Option<RouteMatch>, action: Action) -> Route {
    Route {
        path: "/a".into(),
        matches: matches.map(Arc::new),
        rules: Rules::default(),
        action,
    }
}

fn split() -> Action {
    let pool = |weight, name: &str| WeightedPool {
        weight,
        pool: name.parse().unwrap(),
    };
    let split = Split::new(vec![pool(0, "a#1"), pool(65_535, "a#2")]);
    Action::Split(Box::new(split.unwrap()))
}

fn of_routes(routes: Vec<Route>) -> VirtualHost {
    VirtualHost {
        pattern: "a.example".parse().unwrap(),
        rules: Rules::default(),
        routes,
    }
}

#[test]
fn a_route_that_an_older_proxy_would_serve_otherwise_is_refused_by_it() {
    let pool = || Action::Pool("p".parse().unwrap());
    let cases = [
        (vec![route(None, pool())], vec![]),
        (
            vec![route(Some(matched()), pool()), route(None, pool())],
            vec![feature::ROUTE_MATCH],
        ),
        (vec![route(None, split())], vec![feature::SPLIT]),
        (
            vec![route(Some(matched()), split()), route(None, split())],
            vec![feature::ROUTE_MATCH, feature::SPLIT],
        ),
    ];
    for (routes, needed) in cases {
        let host = of_routes(routes);
        let record = host_record(&host);
        assert_eq!(requires(&record), [vec![1], needed].concat());
        assert_eq!(decode(&record), Ok(Resource::VirtualHost(host)));
    }
}

/// Returns the reason why a host with these routes is refused.
fn refused(routes: Vec<sent::Route>) -> String {
    let body = sent::VirtualHost {
        routes,
        ..Default::default()
    };
    let record = with_body(
        ResourceType::VirtualHost,
        "a.example",
        vec![1, 6, 7],
        body.encode_to_vec(),
    );
    decode(&record).expect_err("refused")[0].to_string()
}

fn sent_route(matches: Option<sent::RouteMatch>) -> sent::Route {
    sent::Route {
        path: "/a".into(),
        r#match: matches,
        action: Some(sent::route::Action::Pool("p/".into())),
        ..Default::default()
    }
}

fn prefix() -> sent::RouteMatch {
    sent::RouteMatch {
        path: sent::MatchedPath::Prefix.into(),
        ..Default::default()
    }
}

fn header(name: &str, value: Option<sent::header_match::Value>) -> sent::HeaderMatch {
    sent::HeaderMatch {
        name: name.into(),
        value,
    }
}

fn equal(value: &str) -> Option<sent::header_match::Value> {
    Some(sent::header_match::Value::Equal(value.into()))
}

fn with(headers: Vec<sent::HeaderMatch>) -> sent::RouteMatch {
    sent::RouteMatch {
        headers,
        ..prefix()
    }
}

fn methods(methods: &[&str]) -> sent::RouteMatch {
    sent::RouteMatch {
        methods: methods.iter().map(|one| (*one).to_owned()).collect(),
        ..prefix()
    }
}

fn query(names: &[&str]) -> sent::RouteMatch {
    let parameter = |name: &&str| sent::QueryMatch {
        name: (*name).to_owned(),
        ..Default::default()
    };
    sent::RouteMatch {
        query: names.iter().map(parameter).collect(),
        ..prefix()
    }
}

#[track_caller]
fn is_refused(matches: sent::RouteMatch, reason: &str) {
    let said = refused(vec![sent_route(Some(matches))]);
    let place = "VirtualHost \"a.example\" routes.\"/a\".match: ";
    assert!(said.starts_with(place) && said.contains(reason), "{said}");
}

#[test]
fn a_match_that_documents_could_not_hold_is_refused_also_when_control_sent_it() {
    is_refused(sent::RouteMatch::default(), "not a way to match a path");
    let later = sent::RouteMatch {
        path: 9,
        ..Default::default()
    };
    is_refused(later, "not a way to match a path");
    is_refused(prefix(), "has no condition");
    is_refused(
        methods(&["POST", "GET"]),
        "methods are not strictly ascending",
    );
    is_refused(methods(&["G T"]), "is not a method");
    is_refused(
        query(&["b", "a"]),
        "query parameters are not strictly ascending",
    );
    is_refused(query(&[""]), "has no name");
    is_refused(query(&["a"; 17]), "more than 16 conditions");
    let slash = sent::RouteMatch {
        path: sent::MatchedPath::ExactWithSlash.into(),
        ..Default::default()
    };
    let root = sent::Route {
        path: "/".into(),
        ..sent_route(Some(slash))
    };
    assert!(refused(vec![root]).contains("the slash of /"));
}

#[test]
fn a_match_of_headers_that_no_request_could_have_is_refused_also_when_control_sent_it() {
    let regex = Some(sent::header_match::Value::Regex("(".into()));
    let cases = [
        (vec![header("X-A", equal("1"))], "not in lower case"),
        (vec![header("x-a", equal(" 1"))], "white space"),
        (vec![header("x-a", equal("\r"))], "control byte"),
        (
            vec![header("x-a", None)],
            "no value that this release knows",
        ),
        (vec![header("x-a", regex)], "unclosed group"),
        (
            vec![header("x-a", equal("1")), header("x-a", equal("2"))],
            "headers are not strictly ascending",
        ),
    ];
    for (headers, reason) in cases {
        is_refused(with(headers), reason);
    }
}

#[test]
fn a_route_that_no_request_reaches_is_refused_also_when_control_sent_it() {
    let get = || methods(&["GET"]);
    for first in [None, Some(get())] {
        let said = refused(vec![sent_route(first), sent_route(Some(get()))]);
        assert!(
            said.contains("route 2 of the path can never match"),
            "{said}"
        );
    }
    let query = |at: usize| sent::RouteMatch {
        query: vec![sent::QueryMatch {
            name: "q".to_owned(),
            value: at.to_string(),
        }],
        ..prefix()
    };
    let many = (0..257).map(|at| sent_route(Some(query(at)))).collect();
    assert!(refused(many).contains("more than 256 routes"));
}

#[test]
fn a_split_that_serves_nothing_is_refused_also_when_control_sent_it() {
    let pool = |weight, pool: &str| sent::WeightedPool {
        weight,
        pool: pool.into(),
    };
    let cases = [
        (vec![], "is empty"),
        (vec![pool(0, "a")], "no weight above 0"),
        (vec![pool(65_536, "a")], "not 0 to 65535"),
        (vec![pool(1, "a"), pool(1, "a")], "names a pool twice"),
        (vec![pool(1, "a b")], "not a pool name"),
    ];
    for (pools, reason) in cases {
        let route = sent::Route {
            action: Some(sent::route::Action::Split(sent::Split { pools })),
            ..sent_route(None)
        };
        let said = refused(vec![route]);
        assert!(
            said.contains("routes.\"/a\".split: ") && said.contains(reason),
            "{said}"
        );
    }
}
