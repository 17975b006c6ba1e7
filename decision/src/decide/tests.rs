use aralez_proto::convert::{host_record, pool_record, settings_record};
use aralez_proto::matcher::InvalidPath;
use aralez_proto::model::{
    GroupName, HostPattern, Pool, PoolName, Redirect, Respond, Route, Settings, VirtualHost,
};
use aralez_proto::record::Record;
use aralez_proto::rules::{Rules, ToHttps};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;

use std::net::IpAddr;

use aralez_proto::matcher::Scheme;
use aralez_proto::model::RedirectStatus;

mod files;
mod matching;
mod observing;

use super::*;
use crate::Pairs;
use crate::pseudonym::Pseudonym;
use crate::state::Unused;
use crate::trace::NewIds;

fn route(path: &str, to_https: bool, action: Action) -> Route {
    Route {
        path: path.into(),
        matches: None,
        rules: Rules {
            to_https: ToHttps(to_https.then_some(true)),
            ..Rules::default()
        },
        action,
    }
}

fn host(name: &str, routes: Vec<Route>) -> Record {
    host_record(&VirtualHost {
        pattern: name.parse().unwrap(),
        rules: Rules::default(),
        routes,
    })
}

/// `a.example` serves `/` by the pool `up`, `/admin` and, over TLS only, `/safe` by the pool `down`, and redirects `/old`.
fn table(compat: bool) -> RouteTable {
    let pool = |name: &str| name.parse::<PoolName>().unwrap();
    let redirect = Redirect {
        to: "https://new.example/base".parse().unwrap(),
        status: RedirectStatus::PermanentRedirect,
    };
    let routes = vec![
        route("/", false, Action::Pool(pool("up"))),
        route("/admin", false, Action::Pool(pool("down"))),
        route("/old", false, Action::Redirect(redirect)),
        route("/safe", true, Action::Pool(pool("down"))),
    ];
    let narrow = vec![route("/only", false, Action::Pool(pool("up")))];
    let settings = Settings {
        compat_0_9: compat,
        ..Settings::default()
    };
    let records = [
        settings_record(&GroupName::default(), &settings),
        host("a.example", routes),
        host("*.narrow.example", narrow),
        pool_record(&pool("up"), &Pool::default()),
        pool_record(&pool("down"), &Pool::default()),
    ];
    let records = records.into_iter().collect();
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default()).unwrap();
    RouteTable::build(&snapshot)
}

type Asked<'a> = Request<'a, Pairs<'a>>;

fn get<'a>(host: &'a str, target: &'a str) -> Asked<'a> {
    Request {
        method: "GET",
        scheme: Scheme::Http,
        host: Some(host),
        target,
        client: IpAddr::from([192, 0, 2, 1]),
        fields: Pairs::default(),
    }
}

/// The decision as one line of text.
fn line(table: &RouteTable, request: Asked<'_>) -> String {
    line_at(table, request, None)
}

/// The same, with HTTPS served on `tls_port`.
fn line_at(table: &RouteTable, request: Asked<'_>, tls_port: Option<u16>) -> String {
    let context = Context {
        node: &Pseudonym::new([0; 8]),
        ids: &NewIds::default(),
        tls_port,
    };
    match decide(
        table,
        &context,
        &request,
        &Unused::TIMELESS,
        &mut Additions::default(),
    ) {
        Decision::Forward(forward) => {
            let pool = match forward.pool {
                PoolChoice::Only(pool) => pool.to_string(),
                PoolChoice::OneOf(split) => format!("one of {}", split.pools().len()),
            };
            let target = forward.path_and_query.text(request.target);
            format!("{} {pool} {target}", forward.route.path)
        }
        Decision::Serve(serve) => {
            let (folder, name) = (&serve.files.folder, serve.name.as_path().display());
            let target = serve.path_and_query.text(request.target);
            format!("file {folder} {name}: {target}")
        }
        Decision::Answer { answer, .. } => {
            let mut fields = answer.fields.fields();
            let location = fields.find(|(name, _)| matches!(*name, b"location" | b"allow"));
            let location = location.map_or("", |(_, value)| std::str::from_utf8(value).unwrap());
            format!("{} {location}", answer.status)
                .trim_end()
                .to_owned()
        }
        Decision::Reject { rejection, .. } => {
            format!("{} {}", rejection.status(), rejection.name())
        }
        Decision::Ask { .. } => "asks".to_owned(),
    }
}

#[test]
fn a_request_goes_to_the_pool_of_the_longest_path() {
    let table = table(false);
    let cases = [
        ("a.example", "/", "/ up /"),
        ("A.Example.:6193", "/x?y=/../z", "/ up /x?y=/../z"),
        ("a.example", "/admin/x", "/admin down /admin/x"),
        ("a.example", "/administrator", "/ up /administrator"),
        ("a.example", "/x/../admin;v=1", "/admin down /admin;v=1"),
        ("a.example.:", "/", "/ up /"),
        ("a.example", "//x//y", "/ up /x//y"),
        ("a.example", "/%61%2fb", "/ up /%61%2fb"),
        ("a.example", "/x;v=1/%2F", "/ up /x;v=1/%2F"),
        ("a.example", "/admin/%2F", "/admin down /admin/%2F"),
        ("x.narrow.example", "/only/", "/only up /only/"),
        ("x.narrow.example", "/other", "404 no_route"),
        ("narrow.example", "/only", "404 no_route"),
        ("b.example", "/", "404 no_route"),
    ];
    for (host, target, expected) in cases {
        assert_eq!(line(&table, get(host, target)), expected, "{host}{target}");
    }
}

#[test]
fn a_plain_request_is_redirected_to_https() {
    let table = table(false);
    let request = get("A.example:6193", "/safe/./x?y=1");
    assert_eq!(line(&table, request), "301 https://a.example/safe/x?y=1");
    let on = |port| line_at(&table, request, Some(port));
    assert_eq!(on(6194), "301 https://a.example:6194/safe/x?y=1");
    assert_eq!(on(443), "301 https://a.example/safe/x?y=1");
    let over_tls = Request {
        scheme: Scheme::Https,
        ..request
    };
    assert_eq!(line(&table, over_tls), "/safe down /safe/x?y=1");
}

/// A token in the query reaches no other server, on no route.
// Row A-06: tokens in the query.
// Row X6: araleztoken ends here.
#[test]
fn a_token_in_the_query_is_not_forwarded() {
    let table = table(false);
    for (target, expected) in [
        ("/x?a&araleztoken=t&b", "/ up /x?a&b"),
        ("/./x?araleztoken=t", "/ up /x"),
        ("/old?araleztoken=t&a", "308 https://new.example/base/old?a"),
        // The client itself gets it back, for the same host.
        (
            "/safe?araleztoken=t",
            "301 https://a.example/safe?araleztoken=t",
        ),
    ] {
        assert_eq!(line(&table, get("a.example", target)), expected, "{target}");
    }
}

#[test]
fn a_redirect_keeps_path_and_query() {
    let line = line(&table(false), get("a.example", "/old/a//b?c=d"));
    assert_eq!(line, "308 https://new.example/base/old/a//b?c=d");
}

#[test]
fn a_request_that_two_readers_could_understand_differently_is_refused() {
    let table = table(false);
    let cases = [
        ("", "/", "400 missing_host"),
        ("a b", "/", "400 invalid_host"),
        ("user@a.example", "/", "400 invalid_host"),
        ("a.example:x", "/", "400 invalid_host"),
        ("a.example", "x", "400 invalid_target"),
        ("a.example", "*", "400 invalid_target"),
        ("a.example", "/..%2fadmin", "400 invalid_target"),
        ("a.example", "/a\\b", "400 invalid_target"),
        ("a.example", "/admin%2Fx", "400 invalid_target"),
        ("a.example", "/%2fadmin", "400 invalid_target"),
        ("a.example", "/safe%3Bx", "400 invalid_target"),
        ("a.example", "/%00", "400 invalid_target"),
        ("a.example", "http://b.example/", "400 other_authority"),
        ("a.example", "http://a.example:81/", "400 other_authority"),
        ("a.example", "http://A.example/x", "/ up /x"),
        ("a.example", "http://a.example:80/x", "/ up /x"),
        ("a.example:443", "https://a.example/x", "/ up /x"),
        ("a.example", "https://a.example:80/x", "400 other_authority"),
        ("a.example", "http://a.example", "/ up /"),
    ];
    for (host, target, expected) in cases {
        assert_eq!(line(&table, get(host, target)), expected, "{host} {target}");
    }
    let without = Request {
        host: None,
        ..get("", "/")
    };
    assert_eq!(line(&table, without), "400 missing_host");
    let safe = Request {
        host: None,
        ..get("", "/safe")
    };
    assert_eq!(line(&with_catch_all(), safe), "400 missing_host");
    let rejection = Rejection::InvalidTarget(InvalidPath::Backslash);
    assert_eq!(rejection.to_string(), "the target contains a backslash");
}

/// A table whose catch-all host serves `/`, and `/safe` only over TLS.
fn with_catch_all() -> RouteTable {
    let up: PoolName = "up".parse().unwrap();
    let routes = vec![
        route("/", false, Action::Pool(up.clone())),
        route("/safe", true, Action::Pool(up.clone())),
    ];
    let records = [host("DEFAULT", routes), pool_record(&up, &Pool::default())];
    let records = records.into_iter().collect();
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default()).unwrap();
    RouteTable::build(&snapshot)
}

#[test]
fn who_names_no_host_gets_what_no_other_host_takes() {
    let request = Request {
        method: "OPTIONS",
        host: None,
        ..get("", "/")
    };
    assert_eq!(line(&with_catch_all(), request), "/ up /");
    assert_eq!(line(&table(false), request), "400 missing_host");
}

#[test]
fn a_request_that_came_back_is_refused_before_anything_else() {
    let table = table(false);
    for (host, target) in [("a.example", "/"), ("b.example", "/"), ("a.example", "*")] {
        let request = Request {
            fields: Pairs(&[("via", "1.1 x"), ("cdn-loop", "y, aralez-0000000000000000")]),
            ..get(host, target)
        };
        assert_eq!(line(&table, request), "508 loop", "{host}{target}");
    }
}

#[test]
fn methods_that_need_no_route_are_answered_at_once() {
    let table = table(false);
    let with = |method, target| Request {
        method,
        ..get("a.example", target)
    };
    assert_eq!(line(&table, with("OPTIONS", "*")), "204");
    assert_eq!(line(&table, with("OPTIONS", "/")), "/ up /");
    for (method, target, forwarded) in [
        ("OPTIONS", "http://a.example", "/ up *"),
        ("OPTIONS", "http://a.example/", "/ up /"),
        ("OPTIONS", "http://a.example?x", "/ up /?x"),
        ("GET", "http://a.example", "/ up /"),
    ] {
        assert_eq!(line(&table, with(method, target)), forwarded, "{target}");
    }
    assert_eq!(
        line(&table, with("CONNECT", "a.example:80")),
        "405 connect_method"
    );
}

#[test]
fn a_request_without_a_route_is_502_where_the_documented_behaviour_is_asked_for() {
    let table = table(true);
    for (host, target) in [("b.example", "/"), ("x.narrow.example", "/")] {
        let line = line(&table, get(host, target));
        assert!(line.starts_with("502 no_"), "{host}{target}: {line}");
    }
    assert!(line(&table, get("a.example", "/%00")).starts_with("400"));
}

#[test]
fn a_normal_request_costs_no_copy_of_its_target() {
    let (table, node) = (table(false), Pseudonym::new([0; 8]));
    let context = Context {
        node: &node,
        ids: &NewIds::default(),
        tls_port: None,
    };
    let request = get("a.example:80", "/x/y?z");
    let decided = decide(
        &table,
        &context,
        &request,
        &Unused::TIMELESS,
        &mut Additions::default(),
    );
    let Decision::Forward(forward) = decided else {
        panic!("is not forwarded");
    };
    assert_eq!(forward.path_and_query, ForwardedTarget::Kept(0..6));
    assert_eq!(forward.route.host, HostPattern::Exact("a.example".into()));
}

/// A host whose route `/app` strips its path, and whose route `/gone` answers itself.
fn edited() -> RouteTable {
    let up = "up".parse::<PoolName>().unwrap();
    let mut app = route("/app", false, Action::Pool(up.clone()));
    app.rules.strip_prefix.0 = Some("/app".into());
    let respond = Respond::new(410, b"gone", "").unwrap();
    let mut gone = route("/gone", true, Action::Respond(respond));
    gone.rules.add_prefix.0 = Some("/x".into());
    let records = [
        settings_record(&GroupName::default(), &Settings::default()),
        host("a.example", vec![app, gone]),
        pool_record(&up, &Pool::default()),
    ];
    let records = records.into_iter().collect();
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default()).unwrap();
    RouteTable::build(&snapshot)
}

#[test]
fn a_path_is_stripped_after_the_route_was_found_and_checked_again() {
    let table = edited();
    for (target, expected) in [
        ("/app/x?y", "/app up /x?y"),
        ("/app", "/app up /"),
        ("/app;%3F/x", "/app up /x"),
        ("/app;%3F/..%3Bx", "400 invalid_target"),
    ] {
        assert_eq!(line(&table, get("a.example", target)), expected, "{target}");
    }
}

#[test]
fn a_route_that_answers_itself_applies_its_policies_first() {
    let table = edited();
    let plain = get("a.example", "/gone/x?y");
    assert_eq!(line(&table, plain), "301 https://a.example/gone/x?y");
    let secure = Request {
        scheme: Scheme::Https,
        ..plain
    };
    assert_eq!(line(&table, secure), "410");
}
