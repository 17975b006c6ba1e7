//! `errors`: the content of the errors that the proxy answers itself, per status and scope.

use std::fs;

use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::ports::Port;
use aralez_tests::raw::{self, Request};

const CLOSED: &str = "{\"error\":\"closed\"}";

/// Starts a fleet with these files next to the document.
async fn serving(document: &str, files: &[(&str, &str)]) -> Fleet {
    let mut fleet = Plan::new(1).lay_out();
    for (name, content) in files {
        fs::write(fleet.documents().join(name), content).unwrap();
    }
    fleet.save(document);
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_current(LIVE).await;
    fleet
}

#[tokio::test]
async fn an_error_of_the_proxy_has_the_content_that_its_scope_sets() {
    let origin = Origin::start("a").await;
    origin.answer_with(ScriptedAnswer::status(404, "own"));
    let (live, dead) = (origin.address(), Port::free());
    let document = format!(
        "errors: {{404: missing.html, 502: broken.txt}}\nheaders: [\"X-Edge:a\"]\n\
         a.test:\n  errors: {{403: closed.json}}\n  paths:\n    \
         /up: {{servers: [\"{live}\"]}}\n    \
         /down: {{servers: [\"{}\"]}}\n    \
         /closed: {{deny: [127.0.0.0/8], servers: [\"{live}\"]}}\n    \
         /fixed: {{respond: {{status: 404, body: fixed}}}}\n    \
         /own: {{errors: {{403: own.txt}}, deny: [127.0.0.0/8], servers: [\"{live}\"]}}\n",
        dead.address()
    );
    let files = [
        ("missing.html", "<p>No such page"),
        ("broken.txt", "Come back later"),
        ("closed.json", CLOSED),
        ("own.txt", "own"),
    ];
    let fleet = serving(&document, &files).await;
    let (html, plain) = ("text/html; charset=utf-8", "text/plain; charset=utf-8");
    let missing = "<p>No such page";
    for (host, target, status, kind, body) in [
        ("b.test", "/", 404, html, missing),
        ("a.test", "/none", 404, html, missing),
        ("a.test", "/down", 502, plain, "Come back later"),
        ("a.test", "/closed", 403, "application/json", CLOSED),
        ("a.test", "/own", 403, plain, "own"),
        ("a.test", "/fixed", 404, plain, "fixed"),
    ] {
        let response = fleet.get(0, host, target).await.unwrap();
        let found = (response.status, response.header("content-type"));
        assert_eq!(found, (status, Some(kind)), "{host}{target}");
        assert_eq!(response.text(), body, "{host}{target}");
    }
    let relayed = fleet.get(0, "a.test", "/up").await.unwrap();
    assert_eq!((relayed.status, relayed.text()), (404, "own".to_owned()));
    let head = Request::new("HEAD", "a.test", "/closed");
    let answer = raw::send(fleet.http(0), &head).await.unwrap();
    assert_eq!(answer.header("content-length"), Some("18"));
    assert_eq!(answer.header("x-edge"), Some("a"));
}
