//! A path is forwarded as it was written; a path that endpoints might read as the path of another route is refused.

use aralez_tests::document::servers;
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw::{self, Connection, Request};

struct Site {
    fleet: Fleet,
    public: Origin,
    secret: Origin,
}

async fn site() -> Site {
    let (public, secret) = (Origin::start("public").await, Origin::start("secret").await);
    let document = format!(
        "a.test:\n  paths:\n    \"/\":\n{}    \"/secret\":\n{}",
        servers(&[public.address()]),
        servers(&[secret.address()])
    );
    let fleet = Plan::new(1).document(&document).start().await;
    fleet.until_current(LIVE).await;
    Site {
        fleet,
        public,
        secret,
    }
}

// Row P-01: dot segments, escaped or not.
// Row P-02: several slashes.
// Row P-03: whole segments and parameters.
// Row X9: spellings of a path.
#[tokio::test]
async fn every_spelling_of_a_path_meets_the_same_route() {
    let site = site().await;
    for (target, forwarded) in [
        ("/secret", "/secret"),
        ("//secret", "/secret"),
        ("/pub//../secret", "/secret"),
        ("/secret;v=1", "/secret;v=1"),
        ("/secret//x", "/secret//x"),
        ("/secret/%2F/q", "/secret/%2F/q"),
        ("/x/..//secret/%c3%a9", "/secret/%c3%a9"),
        ("/pub/../secret", "/secret"),
        ("/pub/%2e%2e/secret", "/secret"),
        ("/pub/.%2E/secret/x", "/secret/x"),
        ("/./secret/.", "/secret/"),
        ("/%73ecret", "/%73ecret"),
        ("/../../secret?a=../b", "/secret?a=../b"),
        ("http://a.test/secret", "/secret"),
    ] {
        let response = site.fleet.get(0, "a.test", target).await.unwrap();
        assert_eq!(
            (response.status, response.text().as_str()),
            (200, "secret"),
            "{target}"
        );
        assert_eq!(site.secret.last().target(), forwarded, "{target}");
    }
}

// Row P-03: whole segments and parameters.
// Row P-05: double escapes.
// Row P-06: invalid UTF-8.
#[tokio::test]
async fn what_only_looks_like_another_route_stays_where_it_is() {
    let site = site().await;
    for (target, forwarded) in [
        ("/SECRET", "/SECRET"),
        ("/secretx", "/secretx"),
        ("/%252e%252e/secret", "/%252e%252e/secret"),
        ("/pub%2Fsecret", "/pub%2Fsecret"),
        ("/%ff", "/%ff"),
        ("/api/queues/%2F/q", "/api/queues/%2F/q"),
        ("/app;jsessionid=1", "/app;jsessionid=1"),
        ("/unsafe/https://img/x", "/unsafe/https://img/x"),
        ("/%7euser//b%5Cc", "/%7euser//b%5Cc"),
        ("/a%5c%5Csecret", "/a%5c%5Csecret"),
    ] {
        let response = site.fleet.get(0, "a.test", target).await.unwrap();
        assert_eq!(
            (response.status, response.text().as_str()),
            (200, "public"),
            "{target}"
        );
        let seen = site.public.last();
        assert_eq!(seen.target(), forwarded, "{target}");
    }
    assert_eq!(site.secret.count(), 0);
}

// Row P-01: dot segments, escaped or not.
// Row P-02: several slashes.
// Row P-04: backslashes.
// Row X9: spellings of a path.
#[tokio::test]
async fn what_two_parsers_read_differently_is_400() {
    let site = site().await;
    for target in [
        "/pub/..%2fsecret",
        "/pub/..%2F..%2Fsecret",
        "/pub/%2e%2e%2fsecret",
        "/%2fsecret",
        "/secret%2Fx",
        "/secret%2F",
        "/secret%5Cx",
        "/secret%3Ba",
        "/secret%3Fa",
        "/secret%23",
        "/;a%2Fsecret",
        "/pub/..;/secret",
        "/pub%5C;a",
        "/a\\..\\secret",
        "/a%5c..%5csecret",
        "/a%00",
        "/a%0a",
        "/a%7f",
        "/a%zz",
        "/a%2",
        "secret",
    ] {
        let response = site.fleet.get(0, "a.test", target).await.unwrap();
        assert_eq!(response.status, 400, "{target}");
    }
    assert_eq!((site.public.count(), site.secret.count()), (0, 0));
}

#[tokio::test]
async fn a_head_that_is_not_clear_is_refused_and_its_connection_closed() {
    let site = site().await;
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3, 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: +3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.test\r\nX-A : b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.test\r\nX-A: b\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\nHost: a.test\n\n",
        "GET  / HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.test/x\r\n\r\n",
    ] {
        let mut connection = Connection::open(site.fleet.http(0)).await.unwrap();
        connection.write(head.as_bytes()).await.unwrap();
        let response = connection
            .response("GET")
            .await
            .unwrap_or_else(|error| panic!("{head:?}: {error}"));
        assert!(
            (400..=501).contains(&response.status),
            "{head:?}: {}",
            response.status
        );
        let again = connection.send(&Request::get("a.test", "/")).await;
        assert!(again.is_err(), "{head:?}: the connection goes on");
    }
    assert_eq!((site.public.count(), site.secret.count()), (0, 0));
}

// Row P-09: fields that claim another target.
#[tokio::test]
async fn headers_that_claim_another_path_do_not_route() {
    let site = site().await;
    let request = Request::get("a.test", "/")
        .header("X-Original-URL", "/secret")
        .header("X-Rewrite-URL", "/secret")
        .header("X-HTTP-Method-Override", "DELETE");
    let response = raw::send(site.fleet.http(0), &request).await.unwrap();
    assert_eq!(response.text(), "public");
    assert_eq!(site.public.last().method(), "GET");
}
