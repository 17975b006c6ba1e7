//! Routes that are chosen by what a request carries besides its path.

use aralez_proto::model::{
    HeaderMatch, MatchedPath, QueryMatch, RouteMatch, Split, ValueMatch, WeightedPool,
};

use super::*;

fn pool(name: &str) -> PoolName {
    name.parse().unwrap()
}

fn when(path: &str, matches: RouteMatch, name: &str) -> Route {
    Route {
        matches: Some(Arc::new(matches)),
        ..route(path, false, Action::Pool(pool(name)))
    }
}

/// `/` is for everyone; `/app` for requests with `X-Beta`, for searches by POST and for requests over TLS only, by half of two pools.
fn table() -> RouteTable {
    let beta = RouteMatch {
        headers: vec![HeaderMatch {
            name: "x-beta".to_owned(),
            value: ValueMatch::Regex("[1-9]".parse().unwrap()),
        }],
        ..RouteMatch::default()
    };
    let search = RouteMatch {
        path: MatchedPath::Exact,
        methods: vec!["POST".parse().unwrap()],
        query: vec![QueryMatch {
            name: "q".to_owned(),
            value: "a b".to_owned(),
        }],
        ..RouteMatch::default()
    };
    let half = |name| WeightedPool {
        weight: 1,
        pool: pool(name),
    };
    let split = Split::new(vec![half("one"), half("two")]).unwrap();
    let routes = vec![
        route("/", false, Action::Pool(pool("all"))),
        when("/app", beta, "beta"),
        when("/app", search, "search"),
        route("/safe", true, Action::Split(Box::new(split))),
    ];
    let pools = ["all", "beta", "search", "one", "two"];
    let pools = pools.map(|name| pool_record(&pool(name), &Pool::default()));
    let records = pools.into_iter().chain([host("a.example", routes)]);
    let records = records.collect();
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default()).unwrap();
    RouteTable::build(&snapshot)
}

#[test]
fn the_first_route_whose_match_holds_decides_and_a_shorter_path_where_none_holds() {
    let table = table();
    let ask = |method, target, fields| Asked {
        method,
        fields: Pairs(fields),
        ..get("a.example", target)
    };
    for (request, expected) in [
        (ask("GET", "/app/x", &[]), "/ all /app/x"),
        (
            ask("GET", "/app/x", &[("X-BETA", "0"), ("x-Beta", "2")]),
            "/app beta /app/x",
        ),
        (
            ask("POST", "/app?x&q=a%20b", &[("X-Beta", "22")]),
            "/app search /app?x&q=a%20b",
        ),
        (ask("POST", "/app/?q=a+b", &[]), "/ all /app/?q=a+b"),
        (ask("GET", "/app?q=a+b", &[]), "/ all /app?q=a+b"),
        (ask("GET", "/safe", &[]), "301 https://a.example/safe"),
    ] {
        assert_eq!(line(&table, request), expected);
    }
    let safe = Asked {
        scheme: Scheme::Https,
        ..get("a.example", "/safe")
    };
    assert_eq!(line(&table, safe), "/safe one of 2 /safe");
}

#[test]
fn a_path_whose_readings_select_other_routes_by_their_matches_is_refused() {
    let table = table();
    let ask = |target, fields| Asked {
        method: "POST",
        fields: Pairs(fields),
        ..get("a.example", target)
    };
    let other = "400 invalid_target";
    for (request, expected) in [
        (ask("/app%2Fx?q=a+b", &[("x-beta", "1")]), other.to_owned()),
        (ask("/app%2Fx?q=b", &[]), "/ all /app%2Fx?q=b".to_owned()),
        (ask("/app%3Fx?q=a+b", &[]), other.to_owned()),
    ] {
        assert_eq!(line(&table, request), expected);
    }
}
