//! Header fields that are added, replaced and removed on the way to an endpoint and back.

use aralez_tests::document::{servers, site};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::raw::{self, Request};

async fn serving(document: &str) -> Fleet {
    let fleet = Plan::new(1).document(document).start().await;
    fleet.until_current(LIVE).await;
    fleet
}

// Row S46: headers.
// Row C8: client_headers and server_headers.
// Row D3: the direction of headers.
// Row R4: merged headers.
#[tokio::test]
async fn headers_merge_and_the_narrower_scope_wins() {
    let origin = Origin::start("a").await;
    origin.answer_with(
        ScriptedAnswer::ok("a")
            .header("X-Both", "endpoint")
            .header("X-Own", "endpoint"),
    );
    let fleet = serving(&format!(
        "headers:\n  - \"X-Both:global\"\n  - \"X-Global:g\"\nserver_headers:\n  - \"X-To-Endpoint:g\"\n\
         a.test:\n  headers:\n    - \"X-Both:host\"\n    - \"X-Host:h\"\n  paths:\n    \"/\":\n{}    \"/p\":\n      \
         headers:\n        - \"X-Both:path\"\n        - \"X-Path:http://p:1\"\n      server_headers:\n        \
         - \"X-To-Endpoint:p\"\n{}",
        servers(&[origin.address()]),
        servers(&[origin.address()]),
    ))
    .await;
    let response = fleet.get(0, "a.test", "/").await.unwrap();
    let values =
        ["x-both", "x-global", "x-host", "x-path", "x-own"].map(|name| response.header(name));
    assert_eq!(
        values,
        [Some("host"), Some("g"), Some("h"), None, Some("endpoint")]
    );
    assert_eq!(
        response.headers("x-both").count(),
        1,
        "the endpoint's is replaced"
    );
    assert_eq!(origin.last().header("x-to-endpoint"), Some("g"));
    let response = fleet.get(0, "a.test", "/p").await.unwrap();
    let values = ["x-both", "x-global", "x-host", "x-path"].map(|name| response.header(name));
    assert_eq!(
        values,
        [Some("path"), Some("g"), Some("h"), Some("http://p:1")]
    );
    assert_eq!(origin.last().header("x-to-endpoint"), Some("p"));
}

// Row T-01: nominated fields.
// Row S75: Host and X-Forwarded-For.
// Row X11: the address of the client.
#[tokio::test]
async fn forwarded_headers_are_ours_and_connection_headers_end_here() {
    let origin = Origin::start("a").await;
    let fleet = serving(&site("a.test", &[origin.address()])).await;
    let request = Request::get("a.test", "/")
        .header("X-Forwarded-For", "6.6.6.6")
        .header("X-Forwarded-For", "7.7.7.7")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "evil.test")
        .header("Connection", "X-Hop")
        .header("X-Hop", "secret");
    raw::send(fleet.http(0), &request).await.unwrap();
    let seen = origin.last();
    assert_eq!(seen.headers("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(seen.headers("x-forwarded-proto"), ["http"]);
    assert_eq!(seen.headers("x-forwarded-host"), ["a.test"]);
    assert_eq!(seen.header("x-hop"), None);
    assert_eq!(seen.headers("host"), ["a.test"]);
}

#[tokio::test]
async fn an_operator_says_that_tls_ends_before_the_proxy_and_a_client_cannot() {
    let origin = Origin::start("a").await;
    let fleet = serving(&format!(
        "a.test:\n  server_headers:\n    set: {{ X-Forwarded-Proto: https, Front-End-Https: \"on\" }}\n    remove: [X-Forwarded-For]\n  \
         paths:\n    \"/\":\n{}b.test:\n  paths:\n    \"/\":\n{}",
        servers(&[origin.address()]),
        servers(&[origin.address()]),
    ))
    .await;
    let ask = async |host: &str| {
        let request = Request::get(host, "/")
            .header("X-Forwarded-Proto", "ftp")
            .header("X-Forwarded-Ssl", "on")
            .header("X-Forwarded-User", "root")
            .header("Front_End_Https", "off")
            .header("Remote-User", "root")
            .header("CF-Connecting-IP", "6.6.6.6");
        raw::send(fleet.http(0), &request).await.unwrap();
        origin.last()
    };
    for host in ["a.test", "b.test"] {
        let seen = ask(host).await;
        for name in [
            "x-forwarded-ssl",
            "x-forwarded-user",
            "front_end_https",
            "remote-user",
            "cf-connecting-ip",
        ] {
            assert_eq!(seen.header(name), None, "{name} for {host}");
        }
    }
    let seen = ask("a.test").await;
    assert_eq!(seen.headers("x-forwarded-proto"), ["https"]);
    assert_eq!(seen.headers("front-end-https"), ["on"]);
    assert_eq!(seen.header("x-forwarded-for"), None);
    let seen = ask("b.test").await;
    assert_eq!(seen.headers("x-forwarded-proto"), ["http"]);
    assert_eq!(seen.header("front-end-https"), None);
}

#[tokio::test]
async fn an_operator_can_keep_silent_about_the_proxy_but_not_about_the_way() {
    let origin = Origin::start("a").await;
    let site = site("a.test", &[origin.address()]);
    let fleet = serving(&format!("server_headers:\n  remove: [Via]\n{site}")).await;
    let request = Request::get("a.test", "/").header("Via", "1.1 first");
    raw::send(fleet.http(0), &request).await.unwrap();
    let seen = origin.last();
    assert_eq!(seen.header("via"), None);
    assert_eq!(seen.headers("cdn-loop").len(), 1);
    let before = fleet.head().await.unwrap();
    fleet.save(&format!("server_headers:\n  remove: [CDN-Loop]\n{site}"));
    let told = aralez_tests::eventually::eventually(LIVE, "the fault is told", || async {
        let faults = fleet.document_faults().await?;
        let fault = faults.iter().find(|fault| fault.contains("cdn-loop"));
        fault.cloned().ok_or_else(|| format!("{faults:?}"))
    })
    .await;
    assert!(told.contains("upstreams.yaml:2:12"), "{told}");
    assert_eq!(fleet.head().await.unwrap(), before);
}

#[tokio::test]
async fn placeholders_show_facts_about_the_request_in_both_directions() {
    let origin = Origin::start("a").await;
    let fleet = serving(&format!(
        "server_headers:\n  set: {{X-Client: \"{{client_ip}} via {{scheme}}://{{host}}\", X-Json: '{{\"a\":1}}'}}\n\
         headers:\n  set: {{X-Request-Id: \"{{request_id}}\", X-Brace: \"{{{{host}}\"}}\n\
         a.test:\n  paths:\n    \"/\":\n{}    /to:\n      redirect_to: https://b.test\n",
        servers(&[origin.address()]),
    ))
    .await;
    let response = fleet.get(0, "a.test", "/").await.unwrap();
    let seen = origin.last();
    assert_eq!(seen.header("x-client"), Some("127.0.0.1 via http://a.test"));
    assert_eq!(seen.header("x-json"), Some("{\"a\":1}"));
    let id = seen.header("x-request-id").unwrap();
    assert_eq!(response.header("x-request-id"), Some(id));
    assert_eq!(response.header("x-brace"), Some("{host}"));
    let own = fleet.get(0, "a.test", "/to").await.unwrap();
    assert_eq!(own.status, 301);
    assert_eq!(own.header("x-request-id").map(str::len), Some(32));
    let unknown = site("a.test", &[origin.address()]) + "  headers: [\"X-A:{clientip}\"]\n";
    let refused = fleet.push(&unknown).await.text();
    let reason = "unknown placeholder `{clientip}` (did you mean `client_ip`?)";
    assert!(refused.contains(reason), "{refused}");
}

#[tokio::test]
async fn a_request_has_one_identity_from_the_client_or_from_the_first_node() {
    let origin = Origin::start("a").await;
    let fleet = serving(&site("a.test", &[origin.address()])).await;
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = Request::get("a.test", "/")
        .header("X-Request-Id", "from-the-client")
        .header("traceparent", parent)
        .header("tracestate", "vendor=1");
    raw::send(fleet.http(0), &request).await.unwrap();
    let seen = origin.last();
    assert_eq!(seen.header("x-request-id"), Some("from-the-client"));
    assert_eq!(seen.header("traceparent"), Some(parent));
    assert_eq!(seen.header("tracestate"), Some("vendor=1"));
    let forged = Request::get("a.test", "/")
        .header("X-Request-Id", "two words")
        .header("traceparent", "00-x")
        .header("tracestate", "vendor=1");
    let mut ids = Vec::new();
    for _ in 0..2 {
        raw::send(fleet.http(0), &forged).await.unwrap();
        let seen = origin.last();
        let id = seen.header("x-request-id").unwrap().to_owned();
        assert_eq!(id.len(), 32);
        let trace = format!("00-{id}-");
        assert!(seen.header("traceparent").unwrap().starts_with(&trace));
        assert_eq!(seen.header("tracestate"), None);
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
}
