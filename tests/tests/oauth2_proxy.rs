//! oauth2-proxy, built from its module, as the server of `authorization: forward`: as the guide configures it.
//!
//! `make prove` builds it and runs this. It contacts no identity provider: users sign in with a password.

use std::time::Duration;

use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::ports::Port;
use aralez_tests::process::Daemon;
use aralez_tests::programs::{output_of, program};
use aralez_tests::raw::{self, Request};
use aralez_tests::wire::Response;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);
const PASSWORD: &str = "secret-of-ann";

/// A fleet of one proxy that asks oauth2-proxy about `a.test`. The test is trusted as a proxy is, so that only `copy` keeps its forged names
/// from the endpoint. The daemons end before the folder is removed.
struct Scene {
    fleet: Fleet,
    origin: Origin,
    oauth2_proxy: Daemon,
    _port: Port,
    _folder: TempDir,
}

fn start_server(folder: &TempDir, port: &Port) -> Daemon {
    let staff = folder.path().join("staff");
    let users = output_of("htpasswd", &["-nbB", "ann", PASSWORD]);
    std::fs::write(&staff, users).unwrap();
    let arguments = [
        &format!("--http-address={}", port.address()),
        &format!("--htpasswd-file={}", staff.display()),
        "--reverse-proxy=true",
        "--trusted-proxy-ip=127.0.0.1",
        "--upstream=static://202",
        "--set-xauthrequest=true",
        "--email-domain=*",
        "--cookie-secure=false",
        "--cookie-secret=0123456789abcdef0123456789abcdef",
        // A provider has to be named; nobody is sent there.
        "--provider=oidc",
        "--skip-oidc-discovery=true",
        "--oidc-issuer-url=http://127.0.0.1:9/",
        "--login-url=http://127.0.0.1:9/login",
        "--redeem-url=http://127.0.0.1:9/token",
        "--oidc-jwks-url=http://127.0.0.1:9/keys",
        "--client-id=aralez",
        "--client-secret=none",
    ];
    let log = folder.path().join("oauth2-proxy.log");
    Daemon::start_program(&program("oauth2-proxy"), &arguments, &log)
}

impl Scene {
    async fn start() -> Self {
        let (folder, port) = (TempDir::new().unwrap(), Port::free());
        let oauth2_proxy = start_server(&folder, &port);
        let origin = Origin::start("content").await;
        let document = format!(
            "trusted_proxies: [127.0.0.0/8]\na.test:\n  authorization: {{type: forward, url: \"http://{0}/\"}}\n  paths:\n    /: {{servers: [\"{1}\"]}}\n    \
             /oauth2: {{servers: [\"{0}\"], authorization: none}}\n",
            port.address(),
            origin.address()
        );
        let fleet = Plan::new(1).document(&document).start().await;
        fleet.until_current(LIVE).await;
        eventually(SOON, "oauth2-proxy answers", async || {
            same(
                &raw::get(port.address(), "a.test", "/ping").await?.status,
                &200,
            )
        })
        .await;
        Self {
            fleet,
            origin,
            oauth2_proxy,
            _port: port,
            _folder: folder,
        }
    }

    async fn send(&self, request: &Request) -> Response {
        raw::send(self.fleet.http(0), request).await.unwrap()
    }

    /// Signs in as the form of oauth2-proxy does. Returns the cookie.
    async fn sign_in(&self) -> String {
        let form = format!("username=ann&password={PASSWORD}&rd=%2Fdeep%2Fx");
        let request = Request::new("POST", "a.test", "/oauth2/sign_in")
            .header("Content-Type", "application/x-www-form-urlencoded")
            .body(form);
        let response = self.send(&request).await;
        assert_eq!(response.status, 302, "{}", response.text());
        assert_eq!(response.header("location"), Some("/deep/x"));
        let cookie = response.header("set-cookie").expect("a cookie is set");
        cookie.split(';').next().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
#[ignore = "needs oauth2-proxy, which `make programs` builds"]
async fn a_visitor_signs_in_with_oauth2_proxy_and_the_endpoint_learns_who_it_is() {
    let scene = Scene::start().await;
    let asked = scene.send(&Request::get("a.test", "/deep/x?y=1")).await;
    assert_eq!(asked.status, 403, "{}", asked.text());
    let page = asked.text();
    assert!(
        page.contains(r#"name="rd" value="/deep/x?y=1""#),
        "the form leads back to the page: {page}"
    );
    let cookie = scene.sign_in().await;
    assert_eq!(
        scene.origin.count(),
        0,
        "nothing passes without the verdict"
    );
    let signed_in = Request::get("a.test", "/deep/x?y=1")
        .header("Cookie", &cookie)
        .header("X-Auth-Request-User", "root")
        .header("X-Auth-Request-Groups", "admins");
    let response = scene.send(&signed_in).await;
    assert_eq!((response.status, response.text()), (200, "content".into()));
    let received = scene.origin.last();
    assert_eq!(received.target(), "/deep/x?y=1");
    assert_eq!(received.headers("x-auth-request-user"), ["ann"]);
    assert!(received.headers("x-auth-request-groups").is_empty());
    let forged = Request::get("a.test", "/").header("Cookie", &format!("{cookie}x"));
    assert_eq!(scene.send(&forged).await.status, 403);
}

// Row A-09: the server is down.
#[tokio::test]
#[ignore = "needs oauth2-proxy, which `make programs` builds"]
async fn nobody_passes_while_oauth2_proxy_is_down() {
    let mut scene = Scene::start().await;
    let cookie = scene.sign_in().await;
    let signed_in = Request::get("a.test", "/").header("Cookie", &cookie);
    assert_eq!(scene.send(&signed_in).await.status, 200);
    let served = scene.origin.count();
    scene.oauth2_proxy.kill();
    assert_eq!(scene.send(&signed_in).await.status, 503);
    assert_eq!(scene.origin.count(), served);
}
