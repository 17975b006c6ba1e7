//! The exchange that Authelia documents for its endpoint `/api/authz/forward-auth`, with a stand-in that speaks as it does: behind a load
//! balancer that ends TLS, as Authelia accepts only pages of `https`.

use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::{Origin, Received, ScriptedAnswer};
use aralez_tests::raw::{self, Request};
use aralez_tests::wire::Response;

const PORTAL: &str = "https://auth.a.test/";
const SESSION: &str = "authelia_session=5e5510n";

/// Answers as Authelia: from the page that the client asked for, and the session in its cookie.
fn authelia(request: &Received) -> ScriptedAnswer {
    let field = |name| request.header(name).unwrap_or_default();
    if request.target() != "/api/authz/forward-auth" {
        return ScriptedAnswer::status(404, "404 Not Found");
    }
    let scheme = field("x-forwarded-proto");
    if scheme != "https" {
        return ScriptedAnswer::status(400, "400 Bad Request");
    }
    let page = format!(
        "{scheme}://{}{}",
        field("x-forwarded-host"),
        field("x-forwarded-uri")
    );
    let method = field("x-forwarded-method");
    if !field("cookie").split("; ").any(|pair| pair == SESSION) {
        let is_page =
            field("accept").contains("text/html") && field("x-requested-with") != "XMLHttpRequest";
        let status = match (is_page, method) {
            (false, _) => 401,
            (true, "GET" | "HEAD" | "OPTIONS") => 302,
            (true, _) => 303,
        };
        let location = format!("{PORTAL}?rd={}&rm={method}", escaped(&page));
        return ScriptedAnswer::status(status, "to the portal").header("Location", &location);
    }
    if page.starts_with("https://app.a.test/admin") {
        return ScriptedAnswer::status(403, "403 Forbidden");
    }
    ScriptedAnswer::ok("200 OK")
        .header("Remote-User", "john")
        .header("Remote-Groups", "admins,dev")
        .header("Remote-Name", "John Doe")
        .header("Remote-Email", "john.doe@a.test")
}

/// Escapes a value of a query.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

struct Scene {
    fleet: Fleet,
    origin: Origin,
    authelia: Origin,
}

impl Scene {
    async fn start() -> Self {
        let (origin, server) = (
            Origin::start("content").await,
            Origin::start("unused").await,
        );
        server.answer_by(authelia);
        let document = format!(
            "trusted_proxies: [127.0.0.0/8]\napp.a.test:\n  authorization:\n    type: forward\n    \
             url: http://{}/api/authz/forward-auth\n    copy: [Remote-User, Remote-Groups, Remote-Name, Remote-Email]\n  \
             paths:\n    /: {{servers: [\"{1}\"]}}\n    /api: {{servers: [\"{1}\"], strip_prefix: /api, add_prefix: /v1}}\n",
            server.address(),
            origin.address()
        );
        let fleet = Plan::new(1).document(&document).start().await;
        fleet.until_current(LIVE).await;
        Self {
            fleet,
            origin,
            authelia: server,
        }
    }

    /// Sends a request as the load balancer forwards it.
    async fn send(&self, request: Request) -> Response {
        let request = request
            .header("X-Forwarded-For", "192.0.2.7")
            .header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", "app.a.test");
        raw::send(self.fleet.http(0), &request).await.unwrap()
    }
}

#[tokio::test]
async fn a_browser_without_a_session_is_led_to_the_portal_and_back_to_its_page() {
    let scene = Scene::start().await;
    let browser = |method, target| {
        Request::new(method, "app.a.test", target).header("Accept", "text/html,*/*;q=0.8")
    };
    let response = scene
        .send(browser("GET", "/api/x?y=1&araleztoken=z&q=%20"))
        .await;
    assert_eq!(
        (response.status, response.text()),
        (302, "to the portal".into())
    );
    // The page is the one of the client, before prefixes are changed.
    assert_eq!(
        response.header("location"),
        Some(
            "https://auth.a.test/?rd=https%3A%2F%2Fapp.a.test%2Fapi%2Fx%3Fy%3D1%26q%3D%2520&rm=GET"
        )
    );
    let asked = scene.authelia.last();
    assert_eq!(
        asked.header("x-forwarded-for"),
        Some("192.0.2.7, 127.0.0.1")
    );
    let response = scene.send(browser("POST", "/form").body("a=b")).await;
    assert_eq!(response.status, 303);
    assert!(
        response
            .header("location")
            .unwrap()
            .ends_with("form&rm=POST")
    );
    let script = Request::get("app.a.test", "/data").header("Accept", "application/json");
    assert_eq!(scene.send(script).await.status, 401);
    assert_eq!(
        scene.origin.count(),
        0,
        "nothing passes without the verdict"
    );
}

#[tokio::test]
async fn with_a_session_the_endpoint_gets_the_names_of_authelia_and_nobody_elses() {
    let scene = Scene::start().await;
    let request = |target| {
        Request::get("app.a.test", target)
            .header("Cookie", &format!("theme=dark; {SESSION}"))
            .header("Remote-User", "root")
            .header("Remote_Groups", "wheel")
    };
    let response = scene.send(request("/api/x")).await;
    assert_eq!((response.status, response.text()), (200, "content".into()));
    let received = scene.origin.last();
    assert_eq!(received.target(), "/v1/x");
    for (name, value) in [
        ("remote-user", "john"),
        ("remote-groups", "admins,dev"),
        ("remote-name", "John Doe"),
        ("remote-email", "john.doe@a.test"),
    ] {
        assert_eq!(received.headers(name), [value], "{name}");
    }
    assert_eq!(received.header("remote_groups"), None);
    let refused = scene.send(request("/admin/users")).await;
    assert_eq!(
        (refused.status, refused.text()),
        (403, "403 Forbidden".into())
    );
    assert_eq!(scene.origin.count(), 1);
}
