//! Routing of requests: the right route, the right endpoint, the right status.

use aralez_tests::document::servers;
use aralez_tests::fleet::{Fleet, Plan};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::ports::Port;
use aralez_tests::raw::{self, Connection, Request};

async fn serving(document: &str) -> Fleet {
    let fleet = Plan::new(1).document(document).start().await;
    fleet.until_current(aralez_tests::fleet::LIVE).await;
    fleet
}

async fn body(fleet: &Fleet, host: &str, target: &str) -> (u16, String) {
    let response = fleet.get(0, host, target).await.unwrap();
    (response.status, response.text())
}

fn ok(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

// Row P-03: whole segments and parameters.
// Row S52: nested paths.
// Row S61: whole segments.
#[tokio::test]
async fn the_longest_path_by_whole_segments_takes_the_request() {
    let (root, api, deep) = (
        Origin::start("root").await,
        Origin::start("api").await,
        Origin::start("deep").await,
    );
    let fleet = serving(&format!(
        "a.test:\n  paths:\n    \"/\":\n{}    \"/api\":\n{}    \"/api/v1/users\":\n{}",
        servers(&[root.address()]),
        servers(&[api.address()]),
        servers(&[deep.address()]),
    ))
    .await;
    for (target, want) in [
        ("/", "root"),
        ("/apix", "root"),
        ("/api", "api"),
        ("/api/", "api"),
        ("/api?x=/api/v1/users", "api"),
        ("/api/v1", "api"),
        ("/api/v1/usersx", "api"),
        ("/api/v1/users", "deep"),
        ("/api/v1/users/7/mail", "deep"),
    ] {
        assert_eq!(body(&fleet, "a.test", target).await, ok(want), "{target}");
    }
    assert_eq!(
        deep.last().target(),
        "/api/v1/users/7/mail",
        "the path goes on as it came"
    );
}

// Row P-07: the host.
// Row S60: the host of a request.
// Row C12: DEFAULT.
#[tokio::test]
async fn exact_hosts_beat_wildcards_and_wildcards_beat_the_default() {
    let (exact, wild, default) = (
        Origin::start("exact").await,
        Origin::start("wild").await,
        Origin::start("default").await,
    );
    let fleet = serving(&format!(
        "a.w.test:\n  paths:\n    \"/\":\n{}\"*.w.test\":\n  paths:\n    \"/\":\n{}DEFAULT:\n  paths:\n    \"/\":\n{}",
        servers(&[exact.address()]),
        servers(&[wild.address()]),
        servers(&[default.address()]),
    ))
    .await;
    for (host, want) in [
        ("a.w.test", "exact"),
        ("A.W.Test", "exact"),
        ("a.w.test.", "exact"),
        ("a.w.test:8080", "exact"),
        ("b.w.test", "wild"),
        ("c.b.w.test", "wild"),
        ("w.test", "default"),
        ("other.example", "default"),
        ("127.0.0.1", "default"),
    ] {
        assert_eq!(body(&fleet, host, "/").await, ok(want), "{host}");
    }
}

// Row S62: what nobody serves.
// Row R1: statuses.
#[tokio::test]
async fn what_nobody_takes_is_404_and_what_cannot_be_reached_502() {
    let origin = Origin::start("only").await;
    let closed = Port::free();
    let fleet = serving(&format!(
        "a.test:\n  paths:\n    \"/only\":\n{}    \"/closed\":\n{}",
        servers(&[origin.address()]),
        servers(&[closed.address()]),
    ))
    .await;
    assert_eq!(body(&fleet, "a.test", "/").await.0, 404, "no path takes it");
    assert_eq!(
        body(&fleet, "b.test", "/only").await.0,
        404,
        "no host takes it"
    );
    assert_eq!(
        body(&fleet, "a.test", "/closed").await.0,
        502,
        "the endpoint refuses"
    );
    origin.answer_once(ScriptedAnswer::ok("").cut(0, aralez_tests::origin::AnswerEnding::Close));
    let post = Request::new("POST", "a.test", "/only").body("once");
    let response = raw::send(fleet.http(0), &post).await.unwrap();
    assert_eq!(response.status, 502, "the endpoint breaks off");
    assert_eq!(origin.count(), 1, "a POST is not sent twice");
    assert_eq!(
        body(&fleet, "a.test", "/only").await,
        ok("only"),
        "and the proxy goes on"
    );
}

// Row S62: what nobody serves.
#[tokio::test]
async fn the_older_spelling_gives_the_documented_502_for_a_miss() {
    let origin = Origin::start("a").await;
    let site = aralez_tests::document::site("a.test", &[origin.address()]);
    let fleet = serving(&format!("compat: aralez-0.9\n{site}")).await;
    assert_eq!(
        body(&fleet, "b.test", "/").await,
        (502, "502 Bad Gateway\n".to_owned())
    );
    assert_eq!(body(&fleet, "a.test", "/").await, ok("a"));
}

// Row R1: statuses.
#[tokio::test]
async fn an_endpoint_that_is_too_slow_is_504() {
    let origin = Origin::start("late").await;
    origin.answer_with(ScriptedAnswer::ok("late").after(std::time::Duration::from_secs(30)));
    let document = format!(
        "a.test:\n  paths:\n    \"/\":\n      timeouts:\n        read: 300ms\n{}",
        servers(&[origin.address()])
    );
    let fleet = serving(&document).await;
    let start = std::time::Instant::now();
    assert_eq!(body(&fleet, "a.test", "/").await.0, 504);
    assert!(
        start.elapsed() < std::time::Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

// Row S71: the redirect to HTTPS.
#[tokio::test]
async fn a_path_that_wants_https_redirects_and_touches_no_endpoint() {
    let origin = Origin::start("plain").await;
    let fleet = serving(&format!(
        "a.test:\n  paths:\n    \"/\":\n{}    \"/secure\":\n      to_https: true\n{}",
        servers(&[origin.address()]),
        servers(&[origin.address()]),
    ))
    .await;
    let response = fleet
        .get(0, "A.test:8080", "/secure/x%20y?q=1&r=%2F")
        .await
        .unwrap();
    assert_eq!(response.status, 301);
    let location = response.header("location").unwrap();
    assert!(
        location.starts_with("https://a.test") || location.starts_with("https://A.test"),
        "{location}"
    );
    assert!(location.ends_with("/secure/x%20y?q=1&r=%2F"), "{location}");
    assert!(
        !location.contains("8080"),
        "the plain port is not the TLS port: {location}"
    );
    assert_eq!(origin.count(), 0);
    assert_eq!(body(&fleet, "a.test", "/").await, ok("plain"));
}

#[tokio::test]
async fn redirects_keep_path_and_query_and_need_no_endpoint() {
    let fleet = serving(
        "a.test:\n  paths:\n    \"/\":\n      redirect_to: \"https://new.test\"\n    \
         \"/tmp\":\n      redirect_to: {to: \"http://tmp.test/base\", status: 307}\n",
    )
    .await;
    let response = fleet.get(0, "a.test", "/x/y?q=1").await.unwrap();
    assert_eq!(
        (response.status, response.header("location")),
        (301, Some("https://new.test/x/y?q=1"))
    );
    let response = fleet.get(0, "a.test", "/tmp/z?q").await.unwrap();
    assert_eq!(response.status, 307);
    let location = response.header("location").unwrap();
    assert!(
        location.starts_with("http://tmp.test/base") && location.ends_with("/z?q"),
        "{location}"
    );
}

#[tokio::test]
async fn round_robin_is_even_and_goes_on_over_a_swap() {
    let origins = [
        Origin::start("a").await,
        Origin::start("b").await,
        Origin::start("c").await,
    ];
    let addresses = origins.each_ref().map(Origin::address);
    let site = format!("a.test:\n  paths:\n    \"/\":\n{}", servers(&addresses));
    let fleet = serving(&site).await;
    for round in 0..5 {
        for _ in 0..4 {
            fleet.get(0, "a.test", "/").await.unwrap();
        }
        let other = format!(
            "{site}other-{round}.test:\n  paths:\n    \"/\":\n{}",
            servers(&addresses)
        );
        fleet.apply(&other).await;
        let counts = origins.each_ref().map(Origin::count);
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(
            most - least <= 1,
            "after {} requests: {counts:?}",
            4 * (round + 1)
        );
    }
}

#[tokio::test]
async fn a_web_socket_passes_both_ways() {
    let origin = Origin::start("a").await;
    origin.answer_with(ScriptedAnswer::web_socket_echo());
    let fleet = serving(&format!(
        "a.test:\n  paths:\n    \"/\":\n{}",
        servers(&[origin.address()])
    ))
    .await;
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    let request = Request::get("a.test", "/ws")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let response = connection.send(&request).await.unwrap();
    assert_eq!(response.status, 101);
    assert_eq!(response.header("upgrade"), Some("websocket"));
    for message in ["one", "and two"] {
        connection.write(message.as_bytes()).await.unwrap();
        assert_eq!(
            connection.read_exact(message.len()).await.unwrap(),
            message.as_bytes()
        );
    }
}

#[tokio::test]
async fn bodies_pass_whole_in_both_directions_and_both_framings() {
    let origin = Origin::start("a").await;
    let large = "0123456789".repeat(50_000);
    let fleet = serving(&format!(
        "a.test:\n  paths:\n    \"/\":\n{}",
        servers(&[origin.address()])
    ))
    .await;
    origin.answer_with(ScriptedAnswer::ok(&large[..9_000]).chunked());
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    for body in ["", "x", &large] {
        let request = Request::new("POST", "a.test", "/").body(body);
        let response = connection.send(&request).await.unwrap();
        assert_eq!(response.text(), large[..9_000]);
        assert_eq!(origin.last().body, body.as_bytes());
    }
}
