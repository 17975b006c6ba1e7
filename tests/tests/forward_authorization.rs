//! `authorization: forward`: another server decides, with the conventions of Traefik, Authelia and oauth2-proxy.

use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::{AnswerEnding, Origin, ScriptedAnswer};
use aralez_tests::raw::{self, Connection, Request};

/// A fleet of one proxy whose routes ask `server`, and forward to `origin`.
struct Scene {
    fleet: Fleet,
    origin: Origin,
    server: Origin,
}

impl Scene {
    /// Starts a fleet with a rule of further keys, such as `, copy: X-User`.
    async fn start(keys: &str) -> Self {
        let server = Origin::start("fine").await;
        let rule = format!("url: 'http://{}/verify?rd=1'{keys}", server.address());
        Self::start_with(&rule, server).await
    }

    async fn start_with(rule: &str, server: Origin) -> Self {
        let origin = Origin::start("content").await;
        let document = format!(
            "authorization: {{type: forward, {rule}}}\n\
             headers: [\"Access-Control-Allow-Origin:*\"]\n\
             a.test: {{paths: {{/: {{servers: [\"{0}\"]}}, /open: {{servers: [\"{0}\"], authorization: none}}}}}}\n",
            origin.address()
        );
        let fleet = Plan::new(1).document(&document).start().await;
        fleet.until_current(LIVE).await;
        Self {
            fleet,
            origin,
            server,
        }
    }

    /// Returns the status of a request.
    async fn status(&self) -> u16 {
        let response = raw::get(self.fleet.http(0), "a.test", "/").await;
        response.unwrap().status
    }

    /// Waits until requests get a status.
    async fn until(&self, status: u16, why: &str) {
        let probe = async || same(&self.status().await, &status);
        eventually(LIVE, why, probe).await;
    }

    /// Replaces the documents.
    async fn push(&self, document: &str) {
        let pushed = self.fleet.push(document).await;
        assert_eq!(pushed.status, 200, "{}", pushed.text());
    }

    async fn connect(&self) -> Connection {
        Connection::open(self.fleet.http(0)).await.unwrap()
    }
}

fn get(target: &str) -> Request {
    Request::get("a.test", target)
}

/// What Traefik, Authelia and oauth2-proxy expect.
// Row C7: forward.
#[tokio::test]
async fn the_server_decides_with_what_the_client_sent_and_its_word_reaches_the_endpoint() {
    let scene = Scene::start("").await;
    let user = ScriptedAnswer::ok("fine")
        .header("Remote-User", "ann")
        .header("X-Other", "1");
    scene.server.answer_with(user);
    let mut client = scene.connect().await;
    let request = Request::new("POST", "a.test", "/x?a=1&araleztoken=s3cret")
        .header("Cookie", "session=1")
        .header("Remote-User", "root")
        .header("X-Forwarded-Uri", "/open")
        .body("body");
    for _ in 0..2 {
        let response = client.send(&request).await.unwrap();
        assert_eq!((response.status, response.text()), (200, "content".into()));
    }
    let asked = scene.server.last();
    assert_eq!((asked.method(), asked.target()), ("GET", "/verify?rd=1"));
    for (name, value) in [
        ("host", scene.server.address().to_string().as_str()),
        ("x-forwarded-method", "POST"),
        ("x-forwarded-uri", "/x?a=1"),
        ("x-forwarded-host", "a.test"),
        ("x-forwarded-proto", "http"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-original-url", "http://a.test/x?a=1"),
        ("cookie", "session=1"),
    ] {
        assert_eq!(asked.header(name), Some(value), "{name}");
    }
    assert!(asked.body.is_empty() && asked.header("content-length").is_none());
    assert!(!asked.head.contains("s3cret") && !asked.head.contains("root"));
    let served = scene.origin.last();
    assert_eq!(
        served.header("remote-user"),
        Some("ann"),
        "and never what the client says"
    );
    assert_eq!(
        (served.header("x-other"), &served.body[..]),
        (None, &b"body"[..])
    );
    assert_eq!(served.header("x-request-id"), asked.header("x-request-id"));
    assert_eq!(
        scene.server.connections(),
        1,
        "its connection is used again"
    );
}

/// Everything that does not pass goes to the client as the server sent it, and nothing reaches an endpoint.
// Row C7: forward.
#[tokio::test]
async fn what_the_server_refuses_it_answers_itself() {
    let scene = Scene::start("").await;
    let login = ScriptedAnswer::status(302, "<a>")
        .header("Location", "https://login.test/?rd=x")
        .header("Set-Cookie", "a=1")
        .header("Set-Cookie", "b=2");
    let page = "x".repeat(200_000);
    let mut client = scene.connect().await;
    for (answer, status, body) in [
        (login, 302, "<a>"),
        (
            ScriptedAnswer::status(401, "who").header("WWW-Authenticate", "Basic realm=\"x\""),
            401,
            "who",
        ),
        (ScriptedAnswer::status(403, &page).chunked(), 403, &page),
        (ScriptedAnswer::status(500, "oops"), 500, "oops"),
        (ScriptedAnswer::status(304, ""), 304, ""),
    ] {
        scene.server.answer_once(answer);
        let response = client.send(&get("/")).await.unwrap();
        assert_eq!((response.status, response.text()), (status, body.into()));
        assert_eq!(response.header("access-control-allow-origin"), Some("*"));
        let challenge = (status == 401).then_some("Basic realm=\"x\"");
        assert_eq!(response.header("www-authenticate"), challenge);
        if status == 302 {
            assert_eq!(
                response.header("location"),
                Some("https://login.test/?rd=x")
            );
            let cookies: Vec<&str> = response.headers("set-cookie").collect();
            assert_eq!(cookies, ["a=1", "b=2"]);
        }
    }
    scene.server.answer_once(ScriptedAnswer::status(401, "who"));
    let head = client
        .send(&Request::new("HEAD", "a.test", "/"))
        .await
        .unwrap();
    assert_eq!((head.status, head.text()), (401, String::new()));
    assert_eq!(scene.server.last().method(), "HEAD");
    assert_eq!(
        scene.server.connections(),
        1,
        "whole responses leave connections usable"
    );
    scene.server.answer_once(ScriptedAnswer::status(401, "who"));
    let post = Request::new("POST", "a.test", "/").body("body");
    assert_eq!(client.send(&post).await.unwrap().status, 401);
    assert_eq!(
        scene.origin.count(),
        0,
        "a refused request reaches no endpoint"
    );
    assert_eq!(
        raw::get(scene.fleet.http(0), "a.test", "/open")
            .await
            .unwrap()
            .status,
        200
    );
}

/// A server that is down, slow or unintelligible opens nothing, and the answer comes in time.
// Row A-09: no verdict, no access.
#[tokio::test]
async fn a_server_without_a_verdict_refuses() {
    let scene = Scene::start(", timeout: 300ms").await;
    for (answer, name) in [
        (ScriptedAnswer::ok("").cut(0, AnswerEnding::Stall), "slow"),
        (
            ScriptedAnswer::ok("").cut(20, AnswerEnding::Stall),
            "slow within its head",
        ),
        (ScriptedAnswer::ok("").cut(20, AnswerEnding::Close), "cut"),
        (ScriptedAnswer::web_socket_echo(), "another protocol"),
        (ScriptedAnswer::ok("").header("Bad Name", "x"), "no HTTP"),
    ] {
        scene.server.answer_once(answer);
        assert_eq!(scene.status().await, 503, "{name}");
    }
    assert_eq!(scene.origin.count(), 0);
    assert_eq!(scene.status().await, 200, "and it passes again at once");
}

// Row A-09: no verdict, no access.
#[tokio::test]
async fn a_server_that_is_down_refuses_and_one_that_returns_passes() {
    let server = Origin::start("fine").await;
    let address = server.address();
    let rule = format!("url: 'http://{address}/'");
    let mut scene = Scene::start_with(&rule, server).await;
    assert_eq!(scene.status().await, 200);
    scene.server = Origin::start("another").await;
    assert_eq!(scene.status().await, 503);
    scene.server = Origin::start_at(address, "fine").await;
    scene.until(200, "the server is asked again").await;
}

/// A kept connection that the server closed costs no request.
#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let scene = Scene::start("").await;
    for _ in 0..3 {
        scene
            .server
            .answer_once(ScriptedAnswer::ok("fine").cut(usize::MAX, AnswerEnding::Close));
        assert_eq!(scene.status().await, 200);
    }
    assert_eq!(scene.server.connections(), 3);
}

/// The URL is part of the configuration like any other server.
#[tokio::test]
async fn the_servers_url_is_checked_with_its_place_and_changed_live() {
    let scene = Scene::start("").await;
    let other = Origin::start("other").await;
    other.answer_with(ScriptedAnswer::status(403, "no"));
    let origin = scene.origin.address();
    let document = |url: &str| {
        format!(
            "a.test: {{authorization: {{type: forward, url: '{url}'}}, paths: {{/: {{servers: [\"{origin}\"]}}}}}}\n"
        )
    };
    let refused = scene.fleet.push(&document("https://127.0.0.1:9091/")).await;
    assert_eq!(refused.status, 502);
    assert!(
        refused
            .text()
            .contains("authorization.url: has the scheme https"),
        "{}",
        refused.text()
    );
    let url = format!("http://{}/", other.address());
    scene.push(&document(&url)).await;
    scene.until(403, "the other server decides").await;
}

/// A proxy that is its own authorization server asks itself once.
#[tokio::test]
async fn a_loop_through_the_proxy_ends() {
    let scene = Scene::start("").await;
    let proxy = scene.fleet.http(0);
    let origin = scene.origin.address();
    let document = format!(
        "authorization: {{type: forward, url: 'http://{proxy}/'}}\n\
         DEFAULT: {{paths: {{/: {{servers: [\"{origin}\"]}}}}}}\n"
    );
    scene.push(&document).await;
    scene.until(508, "the loop is found").await;
    let before = scene.origin.count();
    assert_eq!(scene.status().await, 508);
    assert_eq!(scene.origin.count(), before);
}
