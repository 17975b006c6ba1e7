//! `authorization`: the documented command lines, in every scope, and nothing of a refused request reaches an endpoint.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::programs::output_of;
use aralez_tests::raw::{self, Request};
use aralez_tests::wire::Response;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// The secret of the documented sample.
const SECRET: &str = "910517d9-f9a1-48de-8826-dbadacbd84af-cb6f830e-ab16-47ec-9d8f-0090de732774";

/// A rate of failures that no test but one reaches.
const MANY: &str = "auth_failures: 10000/min";

/// A running fleet with one endpoint behind every route.
struct Scene {
    fleet: Fleet,
    origin: Origin,
}

impl Scene {
    /// Starts a fleet. `SERVERS` in the document stands for the endpoint.
    async fn start(document: &str) -> Self {
        Self::start_with(document, MANY).await
    }

    async fn start_with(document: &str, main: &str) -> Self {
        let origin = Origin::start("a").await;
        let servers = format!("servers: [\"{}\"]", origin.address());
        let plan = Plan::new(1).proxy(0, main);
        let fleet = plan
            .document(&document.replace("SERVERS", &servers))
            .start()
            .await;
        fleet.until_current(LIVE).await;
        Self { fleet, origin }
    }

    async fn ask(&self, target: &str, fields: &[(&str, &str)]) -> Response {
        let request = fields
            .iter()
            .fold(Request::get("a.test", target), |request, (name, value)| {
                request.header(name, value)
            });
        raw::send(self.fleet.http(0), &request).await.unwrap()
    }

    async fn status(&self, target: &str, fields: &[(&str, &str)]) -> u16 {
        self.ask(target, fields).await.status
    }
}

/// What `curl -u` sends.
fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Signs a token that is valid for `seconds`, with HMAC-SHA256 written out from RFC 2104. The secret is longer than a block, so it is hashed.
fn token(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let exp = i64::try_from(now.as_secs()).unwrap() + seconds;
    let claims = format!(r#"{{"user":"valod","exp":{exp}}}"#);
    let header = URL_SAFE_NO_PAD.encode(r#"{"typ":"JWT","alg":"HS256"}"#);
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let mut key = [0_u8; 64];
    key[..32].copy_from_slice(&Sha256::digest(SECRET));
    let pad = |with: u8| key.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(&message);
    let outer = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner.finalize());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(outer.finalize()))
}

/// `curl -u username:password`, as documented.
// Row S64: 401 before anything else.
// Row S65: basic.
#[tokio::test]
async fn a_name_and_password_open_a_route_with_basic() {
    let document = "headers: [\"Access-Control-Allow-Origin:*\"]\n\
         authorization: {type: basic, creds: \"username:password\"}\n\
         a.test: {paths: {/: {SERVERS}}}\n";
    let scene = Scene::start(document).await;
    let right = basic("username:password");
    // The second request needs no hash: both get the same answer.
    for _ in 0..2 {
        assert_eq!(scene.status("/", &[("Authorization", &right)]).await, 200);
    }
    let wrong = scene
        .ask("/", &[("Authorization", &basic("username:passwore"))])
        .await;
    let without = scene.ask("/", &[]).await;
    for refused in [wrong, without] {
        assert_eq!(refused.status, 401);
        let challenge = "Basic realm=\"aralez\", charset=\"UTF-8\"";
        assert_eq!(refused.header("www-authenticate"), Some(challenge));
        let cors = refused.header("access-control-allow-origin");
        assert_eq!(cors, Some("*"), "scripts can read the answer");
        assert!(!refused.closes());
    }
    assert_eq!(
        scene.origin.count(),
        2,
        "a refused request reaches no endpoint"
    );
    let unknown = raw::get(scene.fleet.http(0), "b.test", "/").await.unwrap();
    assert_eq!(unknown.status, 404, "no route comes before authorization");
}

/// Users as Debian's `htpasswd` writes them.
#[tokio::test]
async fn users_of_htpasswd_are_taken_as_they_are_written() {
    let line = output_of("htpasswd", &["-nbB", "user", "pa:ss"]);
    let line = line.as_str();
    assert!(line.starts_with("user:$2y$"), "{line}");
    let document = format!(
        "authorization: {{type: basic, users: ['{line}']}}\na.test: {{paths: {{/: {{SERVERS}}}}}}\n"
    );
    let scene = Scene::start(&document).await;
    for (credentials, status) in [("user:pa:ss", 200), ("user:pa", 401), ("other:pa:ss", 401)] {
        let field = basic(credentials);
        assert_eq!(
            scene.status("/", &[("Authorization", &field)]).await,
            status
        );
    }
    let old = line.replace("$2y$", "$apr1$");
    let refused = scene.fleet.push(&document.replace(line, &old)).await;
    assert_eq!(refused.status, 502);
    assert!(
        refused.text().contains("htpasswd -nbB"),
        "{}",
        refused.text()
    );
}

/// `curl -H "x-api-key: …"`, as documented.
// Row S64: 401 before anything else.
// Row S66: apikey.
#[tokio::test]
async fn a_key_opens_a_route_with_apikey() {
    let document =
        "authorization: {type: apikey, creds: 5ecret-key}\na.test: {paths: {/: {SERVERS}}}\n";
    let scene = Scene::start(document).await;
    assert_eq!(scene.status("/", &[("x-api-key", "5ecret-key")]).await, 200);
    assert_eq!(scene.status("/", &[("x-api-key", "5ecret-keY")]).await, 401);
    assert_eq!(scene.status("/", &[]).await, 401);
    assert_eq!(
        scene.origin.count(),
        1,
        "a refused request reaches no endpoint"
    );
}

/// `Bearer` and `araleztoken`, as documented; endpoints do not see the token of the query.
// Row A-06: tokens in the query.
// Row S67: jwt.
// Row X6: araleztoken ends here.
#[tokio::test]
async fn a_token_opens_a_route_with_jwt_and_its_parameter_is_not_forwarded() {
    let document = format!(
        "authorization: {{type: jwt, creds: {SECRET}, claims: {{user: X-User, role: X-Role}}}}\n\
         a.test: {{paths: {{/: {{SERVERS}}, /open: {{SERVERS, authorization: none}}}}}}\n"
    );
    let scene = Scene::start(&document).await;
    let good = token(600);
    let bearer = format!("bearer {good}");
    let forged = [
        ("Authorization", &*bearer),
        ("X-User", "root"),
        ("X_Role", "admin"),
    ];
    assert_eq!(scene.status("/", &forged).await, 200);
    let seen = scene.origin.last();
    assert_eq!(seen.headers("x-user"), ["valod"]);
    assert_eq!(
        seen.header("x_role"),
        None,
        "only a token can set it, in any spelling"
    );
    for (target, forwarded) in [
        (format!("/?araleztoken={good}"), "/"),
        (
            format!("/x?a=1&araleztoken={}&b=%20", good.replace('.', "%2E")),
            "/x?a=1&b=%20",
        ),
        (format!("/open?araleztoken={good}"), "/open"),
    ] {
        assert_eq!(scene.status(&target, &[]).await, 200, "{target}");
        assert_eq!(scene.origin.last().target(), forwarded);
    }
    let before = scene.origin.count();
    let (late, changed) = (token(-61), format!("{good}x"));
    for target in [
        "/".to_owned(),
        format!("/?araleztoken={late}"),
        format!("/?araleztoken={changed}"),
    ] {
        let refused = scene.ask(&target, &[]).await;
        assert_eq!(refused.status, 401, "{target}");
        assert!(
            refused
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
    }
    let target = format!("/?araleztoken={changed}");
    let wrong = scene.status(&target, &[("Authorization", &bearer)]).await;
    assert_eq!(wrong, 401, "the parameter alone decides");
    assert_eq!(
        scene.origin.count(),
        before,
        "a refused request reaches no endpoint"
    );
}

/// The narrower scope wins, and `none` opens; all of it live.
// Row A-10: rotation of keys.
// Row C6: authorization in each scope.
#[tokio::test]
async fn the_narrower_scope_decides_and_none_opens() {
    let document = "authorization: {type: apikey, creds: top}\n\
         a.test:\n  authorization: {type: apikey, creds: host}\n  paths:\n    /: {SERVERS}\n    \
         /path: {SERVERS, authorization: {type: apikey, creds: path}}\n    /open: {SERVERS, authorization: none}\n\
         b.test: {paths: {/: {SERVERS}}}\n";
    let scene = Scene::start(document).await;
    for (target, key) in [("/", "host"), ("/path", "path")] {
        for sent in ["top", "host", "path"] {
            let expected = if sent == key { 200 } else { 401 };
            let status = scene.status(target, &[("x-api-key", sent)]).await;
            assert_eq!(status, expected, "{target} {sent}");
        }
    }
    assert_eq!(scene.status("/open", &[]).await, 200);
    let top = Request::get("b.test", "/").header("x-api-key", "top");
    assert_eq!(
        raw::send(scene.fleet.http(0), &top).await.unwrap().status,
        200
    );
    // A-10: a removed key is refused with the next revision.
    let servers = format!("servers: [\"{}\"]", scene.origin.address());
    let changed = document.replace("creds: path", "creds: next");
    scene
        .fleet
        .apply(&changed.replace("SERVERS", &servers))
        .await;
    assert_eq!(scene.status("/path", &[("x-api-key", "path")]).await, 401);
    assert_eq!(scene.status("/path", &[("x-api-key", "next")]).await, 200);
}

/// After too many failures, an address gets 429 for everything, also for the right key.
// Row A-08: guessing.
// Row X5: guessing.
#[tokio::test]
async fn guessing_ends_after_a_few_failures() {
    let document = "authorization: {type: apikey, creds: right}\n\
         a.test: {paths: {/: {SERVERS}, /open: {SERVERS, authorization: none}}}\n";
    let scene = Scene::start_with(document, "auth_failures: 3/h").await;
    for _ in 0..5 {
        assert_eq!(scene.status("/", &[]).await, 401, "no key is no attempt");
    }
    for _ in 0..3 {
        assert_eq!(scene.status("/", &[("x-api-key", "wrong")]).await, 401);
    }
    let refused = scene.ask("/", &[("x-api-key", "right")]).await;
    assert_eq!(refused.status, 429);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3_600).contains(&wait), "{wait}");
    assert_eq!(
        scene.status("/open", &[]).await,
        200,
        "other routes serve it"
    );
    assert_eq!(
        scene.origin.count(),
        1,
        "a refused request reaches no endpoint"
    );
    let metrics = raw::get(scene.fleet.admin(0), "admin", "/metrics")
        .await
        .unwrap()
        .text();
    for line in ["reason=\"unauthorized\"} 8", "reason=\"blocked\"} 1"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
}

// Row X5: guessing.
#[tokio::test]
async fn a_client_over_its_limit_is_refused_before_its_credentials_are_judged() {
    let document = "rate_limit: {requests: 2, per: 1h}\nauthorization: {type: apikey, creds: right}\n\
         a.test: {paths: {/: {SERVERS}}}\n";
    let scene = Scene::start_with(document, "auth_failures: 3/h").await;
    for _ in 0..2 {
        assert_eq!(scene.status("/", &[("x-api-key", "wrong")]).await, 401);
    }
    for key in ["wrong", "wrong", "right"] {
        let refused = scene.ask("/", &[("x-api-key", key)]).await;
        assert_eq!(refused.status, 429);
        // A block by `auth_failures` has no such field: these guesses were not even counted.
        assert_eq!(refused.header("x-rate-limit-limit"), Some("2"));
    }
    assert_eq!(scene.origin.count(), 0);
}

/// Promise 3 and section 5 of the design: an equal document gives equal bytes, also after a restart of control.
#[tokio::test]
async fn a_restarted_control_hashes_a_password_to_the_same_bytes() {
    let document = "authorization: {type: basic, creds: \"username:password\"}\na.test: {paths: {/: {SERVERS}}}\n";
    let mut scene = Scene::start(document).await;
    let before = scene.fleet.version(0).await.unwrap();
    scene.fleet.kill_control();
    scene.fleet.start_control().await;
    eventually(LIVE, "the node is back", || async {
        same(&scene.fleet.nodes().await?.len(), &1)
    })
    .await;
    scene.fleet.until_current(LIVE).await;
    assert_eq!(
        scene.fleet.version(0).await.unwrap()["root"],
        before["root"]
    );
    let right = basic("username:password");
    assert_eq!(scene.status("/", &[("Authorization", &right)]).await, 200);
}

/// The bound on computations: logins beyond it are turned away, and other requests are not delayed by them.
#[tokio::test]
async fn a_flood_of_logins_is_bounded_and_delays_no_other_request() {
    let document = "authorization: {type: basic, creds: \"username:password\"}\n\
         a.test: {paths: {/: {SERVERS}, /open: {SERVERS, authorization: none}}}\n";
    let scene = Scene::start(document).await;
    let field = basic("username:wrong");
    let fields = [("Authorization", field.as_str())];
    let flood = (0..150).map(|_| scene.status("/", &fields));
    let others = async {
        tokio::time::sleep(Duration::ZERO).await;
        scene.status("/open", &[]).await
    };
    let (statuses, other) = tokio::join!(join_all(flood), others);
    assert_eq!(other, 200);
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert!(count(401) >= 1 && count(503) >= 1, "{statuses:?}");
    assert_eq!(count(401) + count(503), 150, "{statuses:?}");
    let right = basic("username:password");
    assert_eq!(scene.status("/", &[("Authorization", &right)]).await, 200);
}

/// Runs all futures at once.
async fn join_all(all: impl Iterator<Item = impl Future<Output = u16>>) -> Vec<u16> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done = vec![None; all.len()];
    std::future::poll_fn(|cx| {
        for (future, slot) in all.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(status) = future.as_mut().poll(cx)
            {
                *slot = Some(status);
            }
        }
        match done.iter().copied().collect::<Option<Vec<u16>>>() {
            Some(done) => std::task::Poll::Ready(done),
            None => std::task::Poll::Pending,
        }
    })
    .await
}
