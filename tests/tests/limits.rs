//! Limits of clients: `rate_limit`, `x4xx_limit` and `max_body`. A client over a limit is told so on a connection that stays usable, and no
//! endpoint sees its request.

use std::time::Duration;

use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::raw::{Connection, Request};

/// A quota that does not refill during a test.
fn hourly(requests: u32) -> String {
    format!("rate_limit: {{requests: {requests}, per: 1h}}")
}

/// Starts a proxy that serves a document, and any number of requests on a connection.
async fn serving(document: &str) -> Fleet {
    let plan = Plan::new(1).proxy(0, "client_requests: 10000000\n");
    let fleet = plan.document(document).start().await;
    fleet.until_current(LIVE).await;
    fleet
}

/// Returns the statuses of requests sent one after the other, each on a connection of its own.
async fn statuses(fleet: &Fleet, host: &str, target: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(fleet.get(0, host, target).await.unwrap().status);
    }
    statuses
}

/// Repeats a request without a pause until it is served.
async fn until_served(client: &mut Connection, request: &Request) {
    let served = async { while client.send(request).await.unwrap().status != 200 {} };
    let patience = tokio::time::timeout(Duration::from_secs(20), served).await;
    patience.expect("never served again");
}

/// The documented answer, on a connection that is served again once the limit admits a request.
// Row R-05: the answer of a limit.
// Row S45: rate_limit in each scope.
// Row S68: the documented 429.
// Row C14: headers of a 429.
#[tokio::test]
async fn a_client_over_the_limit_is_told_when_to_come_back_and_keeps_its_connection() {
    let origin = Origin::start("a").await;
    let fleet = serving(&format!(
        "a.test:\n  rate_limit: 2\n  headers: [\"X-Site:s\"]\n  paths: {{\"/\": {{servers: [\"{}\"]}}}}\n",
        origin.address()
    ))
    .await;
    let mut client = Connection::open(fleet.http(0)).await.unwrap();
    let request = Request::get("a.test", "/");
    let mut served = 0;
    let refused = loop {
        let response = client.send(&request).await.unwrap();
        assert!(served < 1_000, "never refused");
        match response.status {
            200 => served += 1,
            429 => break response,
            status => panic!("{status}"),
        }
    };
    assert!(served >= 2, "{served}");
    for (name, value) in [
        ("x-rate-limit-limit", "2"),
        ("x-rate-limit-remaining", "0"),
        ("x-rate-limit-reset", "1"),
        ("retry-after", "1"),
        ("ratelimit", "\"rate_limit\";r=0;t=1"),
        ("ratelimit-policy", "\"rate_limit\";q=2;w=1"),
        ("content-length", "0"),
        ("x-site", "s"),
    ] {
        assert_eq!(refused.header(name), Some(value), "{name}");
    }
    assert!(refused.body.is_empty());
    assert!(!refused.closes());
    assert_eq!(
        origin.count(),
        served,
        "a refused request reaches no endpoint"
    );
    let page = aralez_tests::raw::get(fleet.admin(0), "a", "/metrics")
        .await
        .unwrap();
    let page = String::from_utf8(page.body).unwrap();
    assert!(
        page.contains("aralez_refusals_total{reason=\"rate_limit\"} 1"),
        "{page}"
    );
    assert!(page.contains("aralez_limit_keys 1"), "{page}");
    until_served(&mut client, &request).await;
}

/// A path has its own count, hosts do not share one, and `none` lifts the limit.
// Row S45: rate_limit in each scope.
// Row S69: what a limit counts.
// Row R3: limits per scope.
#[tokio::test]
async fn the_narrower_scope_decides_and_hosts_count_apart() {
    let origin = Origin::start("a").await;
    let servers = format!("servers: [\"{}\"]", origin.address());
    let (one, three) = (hourly(1), hourly(3));
    let paths = format!(
        "paths:\n    \"/\": {{{servers}}}\n    /more: {{{servers}, {three}}}\n    /free: {{{servers}, rate_limit: none}}\n"
    );
    let fleet = serving(&format!("{one}\na.test:\n  {paths}b.test:\n  {paths}")).await;
    for host in ["a.test", "b.test"] {
        assert_eq!(statuses(&fleet, host, "/", 2).await, [200, 429], "{host}");
        assert_eq!(statuses(&fleet, host, "/other", 1).await, [429], "{host}");
        let more = statuses(&fleet, host, "/more", 4).await;
        assert_eq!(more, [200, 200, 200, 429], "{host}");
        assert_eq!(statuses(&fleet, host, "/free", 3).await, [200; 3], "{host}");
    }
}

/// `compat: aralez-0.9` gives the documented limiter by address alone.
// Row S69: what a limit counts.
#[tokio::test]
async fn with_compat_hosts_and_paths_share_one_count() {
    let origin = Origin::start("a").await;
    let paths = format!(
        "paths: {{\"/\": {{servers: [\"{0}\"]}}, /x: {{servers: [\"{0}\"]}}}}\n",
        origin.address()
    );
    let limit = hourly(2);
    let fleet = serving(&format!(
        "compat: aralez-0.9\n{limit}\na.test:\n  {paths}b.test:\n  {paths}"
    ))
    .await;
    assert_eq!(statuses(&fleet, "a.test", "/x", 1).await, [200]);
    assert_eq!(statuses(&fleet, "b.test", "/", 2).await, [200, 429]);
}

/// Counts belong to the process, not to a thread or a table.
// Row R-04: overshoot.
#[tokio::test]
async fn counts_are_shared_by_threads_and_survive_a_change() {
    let origin = Origin::start("a").await;
    let servers = format!("servers: [\"{}\"]", origin.address());
    let limit = hourly(5);
    let site = format!("a.test:\n  {limit}\n  paths: {{\"/\": {{{servers}}}}}\n");
    let fleet = Plan::new(1).threads(0, 2).document(&site).start().await;
    fleet.until_current(LIVE).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(Connection::open(fleet.http(0)).await.unwrap());
    }
    let request = Request::get("a.test", "/");
    let mut statuses = Vec::new();
    for _ in 0..2 {
        for client in &mut clients {
            statuses.push(client.send(&request).await.unwrap().status);
        }
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429, 429, 429]);
    let more = format!("{site}b.test:\n  paths: {{\"/\": {{{servers}}}}}\n");
    fleet.apply(&more).await;
    fleet.until_serving(LIVE, "b.test", "a").await;
    assert_eq!(clients[0].send(&request).await.unwrap().status, 429);
}

/// More failures within a second than the limit refuse the client until the window has moved on; refusals do not count.
// Row C10: x4xx_limit.
// Row R17: x4xx_limit counts right.
#[tokio::test]
async fn a_client_whose_requests_fail_is_refused_until_the_second_is_over() {
    let origin = Origin::start("a").await;
    origin.answer_with(ScriptedAnswer::status(404, "no"));
    let fleet = serving(&format!(
        "a.test:\n  x4xx_limit: 3\n  paths: {{\"/\": {{servers: [\"{0}\"]}}, /closed: {{servers: [\"{0}\"], deny: [127.0.0.0/8]}}}}\n",
        origin.address()
    ))
    .await;
    let mut client = Connection::open(fleet.http(0)).await.unwrap();
    // No route is no scope: it counts nowhere.
    for _ in 0..20 {
        let missed = client.send(&Request::get("b.test", "/")).await.unwrap();
        assert_eq!(missed.status, 404);
    }
    let failing = Request::get("a.test", "/");
    let denied = Request::get("a.test", "/closed");
    let mut failed = 0;
    let refused = loop {
        assert!(failed < 1_000, "never refused");
        let response = client.send(&failing).await.unwrap();
        match response.status {
            404 => failed += 1,
            429 => break response,
            status => panic!("{status}"),
        }
        assert_eq!(client.send(&denied).await.unwrap().status, 403);
        failed += 1;
    };
    assert!(failed > 3, "{failed}");
    assert_eq!(refused.header("x-rate-limit-limit"), Some("3"));
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(!refused.closes());
    origin.answer_with(ScriptedAnswer::ok("a"));
    // If its refusals counted, a client that asks without a pause would never be served.
    until_served(&mut client, &failing).await;
}

/// A body that is announced, streamed or awaited: 413, and no endpoint receives a whole request.
#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_an_endpoint_has_all_of_it() {
    let origin = Origin::start("a").await;
    let fleet = serving(&format!(
        "max_body: 10\na.test:\n  paths: {{\"/\": {{servers: [\"{0}\"]}}, /large: {{servers: [\"{0}\"], max_body: none}}}}\n",
        origin.address()
    ))
    .await;
    let send = async |target: &str, body: &str| {
        let request = Request::new("POST", "a.test", target).body(body);
        aralez_tests::raw::send(fleet.http(0), &request)
            .await
            .unwrap()
    };
    assert_eq!(send("/", "0123456789").await.status, 200);
    assert_eq!(send("/large", "0123456789a").await.status, 200);
    assert_eq!(origin.count(), 2);
    let refused = send("/", "0123456789a").await;
    assert_eq!(refused.status, 413);
    assert!(refused.closes());
    let head = "POST / HTTP/1.1\r\nHost: a.test\r\n";
    let mut client = Connection::open(fleet.http(0)).await.unwrap();
    let expecting = format!("{head}Expect: 100-continue\r\nContent-Length: 11\r\n\r\n");
    client.write(expecting.as_bytes()).await.unwrap();
    let begin = client.read_exact(12).await.unwrap();
    assert_eq!(String::from_utf8(begin).unwrap(), "HTTP/1.1 413");
    for (last, status) in [("6\r\n56789a", 413), ("5\r\n56789", 200)] {
        let chunked =
            format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n{last}\r\n0\r\n\r\n");
        let mut client = Connection::open(fleet.http(0)).await.unwrap();
        client.write(chunked.as_bytes()).await.unwrap();
        assert_eq!(client.response("POST").await.unwrap().status, status);
    }
    assert_eq!(origin.count(), 3, "the whole bodies");
}

/// A body without a length is cut off when it grows beyond the limit, after its first part was forwarded.
#[tokio::test]
async fn a_streamed_body_is_cut_off_at_the_limit() {
    let origin = Origin::start("a").await;
    let fleet = serving(&format!(
        "a.test:\n  max_body: 300KiB\n  paths: {{\"/\": {{servers: [\"{}\"]}}}}\n",
        origin.address()
    ))
    .await;
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    for (chunks, status) in [(18, 200), (100, 413)] {
        let mut client = Connection::open(fleet.http(0)).await.unwrap();
        let head = b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.write(head).await.unwrap();
        let body = format!("{}0\r\n\r\n", chunk.repeat(chunks));
        // The proxy may answer and close before it has read everything.
        let _ = client.write(body.as_bytes()).await;
        assert_eq!(client.response("POST").await.unwrap().status, status);
    }
    assert_eq!(origin.count(), 1, "the endpoint never has the whole body");
}
