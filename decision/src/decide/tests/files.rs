//! Routes that serve files.

use super::*;
use aralez_proto::model::Files;

fn table() -> RouteTable {
    let files = |folder: &str| {
        Action::Files(Files {
            folder: folder.parse().unwrap(),
            spa: false,
            precompressed: false,
        })
    };
    let routes = vec![
        route("/", false, files("/srv/www")),
        route("/docs", false, files("/srv/docs")),
        route("/safe", true, files("/srv/safe")),
    ];
    let settings = settings_record(&GroupName::default(), &Settings::default());
    let records = [settings, host("a.example", routes)].into_iter().collect();
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default()).unwrap();
    RouteTable::build(&snapshot)
}

#[test]
fn the_path_of_the_route_is_removed_before_a_file_is_looked_for() {
    let table = table();
    for (target, decision) in [
        ("/", "file /srv/www : /"),
        ("/a/b.txt?x", "file /srv/www a/b.txt: /a/b.txt?x"),
        ("/docs", "file /srv/docs : /docs"),
        ("/docs/?araleztoken=x&y", "file /srv/docs : /docs/?y"),
        ("/docs/a%20b", "file /srv/docs a b: /docs/a%20b"),
        ("/docs/../a", "file /srv/www a: /a"),
        ("/docs/%2e%2e/a", "file /srv/www a: /a"),
        ("/docs/a%5cb", "404"),
        ("/docs/a%2fb", "404"),
        ("/docs/..%2fa", "400 invalid_target"),
    ] {
        assert_eq!(line(&table, get("a.example", target)), decision, "{target}");
    }
}

#[test]
fn a_file_is_read_and_nothing_else() {
    let table = table();
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "get"] {
        let request = Request {
            method,
            ..get("a.example", "/docs/a")
        };
        assert_eq!(line(&table, request), "405 GET, HEAD", "{method}");
    }
    let head = Request {
        method: "HEAD",
        ..get("a.example", "/docs/a")
    };
    assert_eq!(line(&table, head), "file /srv/docs a: /docs/a");
}

#[test]
fn policies_come_before_files() {
    let redirect = line(&table(), get("a.example", "/safe/a"));
    assert_eq!(redirect, "301 https://a.example/safe/a");
}
