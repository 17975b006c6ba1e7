//! `aralez-ctl explain`: its verdict is what a real proxy does with the same documents and the same request.

use aralez_tests::explained::{
    EVERY_POLICY, EXPIRED_TOKEN, ExplainedFleet, ExplainedRequest, VALID_TOKEN,
};
use aralez_tests::files::workspace;
use aralez_tests::origin::Origin;
use aralez_tests::raw::{self, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

fn get(host: &'static str, target: &'static str) -> ExplainedRequest {
    ExplainedRequest::get(host, target)
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Requests for each host with paths that are read in different ways.
fn of_every_shape() -> Vec<ExplainedRequest> {
    let hosts = [
        "a.test",
        "A.TEST.:6193",
        "x.wild.test",
        "wild.test",
        "b.test",
    ];
    let targets = [
        "/",
        "/x?y=/../z",
        "/api",
        "/api/",
        "/apix",
        "/api/inner",
        "/api/inner/x?q=1",
        "/api/%69nner/a%2Fb",
        "/only/x",
        "/other",
        "/x/../api;v=1",
        "//api//x",
        "/api%2Finner",
        "/api/..%2Finner",
        "/open/%2e%2e/api",
        "/old/a//b?c=d",
        "/fixed/x",
        "/safe/./x?y=1",
        "/%zz",
        "/a\\b",
        "/x?araleztoken=t&a=1",
    ];
    let all = hosts
        .iter()
        .flat_map(|host| targets.iter().map(move |target| get(host, target)));
    all.collect()
}

/// Requests that each policy and each match decides about.
fn of_every_policy() -> Vec<ExplainedRequest> {
    let bearer = |token: &str| format!("Bearer {token}");
    let tokens = [VALID_TOKEN, EXPIRED_TOKEN, "a.b.c", "x"];
    let mut all = vec![
        get("a.test", "/api?v=2").by("POST"),
        get("a.test", "/api?v=3").by("POST"),
        get("a.test", "/api?v=2").by("PATCH"),
        get("a.test", "/api").with("X-Version", "v3"),
        get("a.test", "/api").with("x-version", "v1"),
        get("a.test", "/api")
            .with("X-Version", "v1")
            .with("X-Version", "v9"),
        get("a.test", "/office"),
        get("a.test", "/office").with("X-Forwarded-For", "192.0.2.7"),
        get("a.test", "/office").with("X-Forwarded-For", "192.0.2.66"),
        get("a.test", "/open").with("X-Forwarded-For", "192.0.2.66"),
        get("a.test", "/").with("X-Forwarded-For", "192.0.2.66, 127.0.0.3"),
        get("a.test", "/").with("X-Forwarded-For", "192.0.2.66, 198.51.100.1"),
        get("a.test", "/safe").with("X-Forwarded-Proto", "https"),
        get("a.test", "/strict"),
        get("a.test", "/").with("X-Debug", "1"),
        get("a.test", "/x").by("DELETE"),
        get("a.test", "/staff"),
        get("a.test", "/staff").with("Authorization", &basic("ann:hunter2")),
        get("a.test", "/staff").with("Authorization", &basic("ann:hunter3")),
        get("a.test", "/staff").with("Authorization", &basic("bob:hunter2")),
        get("a.test", "/staff").with("Authorization", "Bearer x"),
        get("a.test", "/key"),
        get("a.test", "/key").with("x-api-key", "a-key-of-hunter2"),
        get("a.test", "/key").with("X-API-Key", "another"),
        get("a.test", "/token"),
    ];
    all.extend(tokens.map(|token| get("a.test", "/token").with("Authorization", &bearer(token))));
    all
}

/// The promise of `explain`: its verdict is that of a real proxy, for requests of every kind.
#[tokio::test]
async fn what_is_explained_is_what_a_proxy_does() {
    let scene = ExplainedFleet::start(EVERY_POLICY).await;
    let requests = of_every_shape().into_iter().chain(of_every_policy());
    for request in requests {
        scene.compare(&request).await;
    }
    for length in ["4", "5"] {
        let body = "x".repeat(length.parse().unwrap());
        let explained = scene
            .explained(
                &get("a.test", "/small")
                    .by("POST")
                    .with("Content-Length", length),
            )
            .await;
        let request = Request::new("POST", "a.test", "/small").body(body);
        let response = raw::send(scene.fleet.http(0), &request).await.unwrap();
        let status = explained["outcome"]["status"].as_u64().unwrap_or(200);
        assert_eq!(status, u64::from(response.status), "{explained:#}");
    }
}

/// The documented sample, in both layouts.
#[tokio::test]
async fn the_sample_is_explained_as_it_is_served() {
    for name in ["upstreams.yaml", "upstreams-wrapped.yaml"] {
        let sample =
            std::fs::read_to_string(workspace().join("deploy/samples").join(name)).unwrap();
        let scene = ExplainedFleet::start("a.test: {paths: {/: {servers: [A]}}}\n").await;
        let endpoint = |origin: &Origin| origin.address().to_string();
        let filled = sample
            .replace("127.0.0.1:8000", &endpoint(&scene.origins[0]))
            .replace("127.0.0.2:8000", &endpoint(&scene.origins[1]));
        scene.fleet.apply(&filled).await;
        let host = "myhost.mydomain.com";
        for target in ["/", "/foo", "/foo/x?y", "/food", "/nothing"] {
            scene.compare(&get(host, target)).await;
            scene.compare(&get("other.test", target)).await;
        }
        scene
            .compare(&get(host, "/x").with("Authorization", &format!("Bearer {VALID_TOKEN}")))
            .await;
        scene
            .compare(&get(host, "/x").with("Authorization", &format!("Bearer {EXPIRED_TOKEN}")))
            .await;
    }
}
