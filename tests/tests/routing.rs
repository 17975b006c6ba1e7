//! What endpoints see of a request, and what the proxy answers itself: prefixes and hosts, fixed responses, redirects.

use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::ports::Port;
use aralez_tests::raw::{self, Connection, Request};

async fn serving(document: &str) -> Fleet {
    let fleet = Plan::new(1).document(document).start().await;
    fleet.until_current(LIVE).await;
    fleet
}

fn servers(origin: &Origin) -> String {
    format!("servers: [\"{}\"]", origin.address())
}

/// `strip_prefix` and `add_prefix`.
// Row P-01: dot segments, escaped or not.
#[tokio::test]
async fn endpoints_see_the_path_without_one_prefix_and_with_another() {
    let origin = Origin::start("a").await;
    let to = servers(&origin);
    let fleet = serving(&format!(
        "a.test:\n  paths:\n    /: {{{to}}}\n    /app: {{{to}, strip_prefix: /app}}\n    \
         /api/v1: {{{to}, strip_prefix: /api, add_prefix: /new}}\n    /add: {{{to}, add_prefix: /base}}\n"
    ))
    .await;
    for (target, seen) in [
        ("/app", "/"),
        ("/app/", "/"),
        ("/app?q=/app", "/?q=/app"),
        ("/app/x%2Fy;z/%7e//?q", "/x%2Fy;z/%7e//?q"),
        ("//app;v=1//x", "/x"),
        ("/%61pp/x", "/x"),
        ("/x/../app/./y", "/y"),
        ("/application", "/application"),
        ("/api/v1", "/new/v1"),
        ("/api//v1/%2F?q", "/new/v1/%2F?q"),
        ("/add", "/base/add"),
        ("http://a.test/add/?q", "/base/add/?q"),
    ] {
        let response = fleet.get(0, "a.test", target).await.unwrap();
        assert_eq!(response.status, 200, "{target}");
        assert_eq!(origin.last().target(), seen, "{target}");
    }
    let count = origin.count();
    // The first two are read alike as a whole, but not what remains of them.
    for target in [
        "/app;%3F/..%3Bx",
        "/app;%23/.%3Fx",
        "/app/..%2Fx",
        "/app%2Fx",
    ] {
        let response = fleet.get(0, "a.test", target).await.unwrap();
        assert_eq!(response.status, 400, "{target}");
    }
    assert_eq!(
        origin.count(),
        count,
        "a refused request reaches no endpoint"
    );
}

// Row S75: Host and X-Forwarded-For.
#[tokio::test]
async fn endpoints_see_the_host_of_the_route_and_whom_the_client_asked() {
    let origin = Origin::start("a").await;
    let to = servers(&origin);
    let fleet = serving(&format!(
        "a.test:\n  server_headers: {{set: {{Host: wide.test}}}}\n  paths:\n    /: {{{to}}}\n    \
         /inner: {{{to}, host: Inner.Test:8080}}\n    \
         /edit: {{{to}, host: inner.test, server_headers: {{set: {{Host: edit.test}}}}}}\n\
         b.test:\n  paths:\n    /: {{{to}, host: keep}}\n"
    ))
    .await;
    for (host, target, seen) in [
        ("a.test", "/", "wide.test"),
        ("a.test", "/inner", "inner.test:8080"),
        ("a.test:80", "/edit", "edit.test"),
        ("B.test:81", "/", "B.test:81"),
    ] {
        fleet.get(0, host, target).await.unwrap();
        let last = origin.last();
        assert_eq!(last.headers("host"), [seen], "{target}");
        assert_eq!(last.headers("x-forwarded-host"), [host], "{target}");
    }
}

#[tokio::test]
async fn a_route_answers_itself_with_the_edits_of_its_responses() {
    let large = "x".repeat(64 * 1024);
    let fleet = serving(&format!(
        "a.test:\n  headers: ['X-Edit: 1']\n  paths:\n    \
         /: {{respond: {{status: 503, body: '<p>later', type: text/html}}, headers: ['Retry-After: 60']}}\n    \
         /gone: {{respond: {{status: 410}}}}\n    /bad: {{respond: {{status: 400}}}}\n    /none: {{respond: {{status: 204}}}}\n    \
         /large: {{respond: {{body: {large}}}}}\n"
    ))
    .await;
    let mut client = Connection::open(fleet.http(0)).await.unwrap();
    for (target, status, length, media_type, body) in [
        ("/x?y", 503, Some("8"), Some("text/html"), "<p>later"),
        ("/gone", 410, Some("0"), None, ""),
        ("/bad", 400, Some("0"), None, ""),
        ("/none", 204, None, None, ""),
        (
            "/large",
            200,
            Some("65536"),
            Some("text/plain; charset=utf-8"),
            large.as_str(),
        ),
    ] {
        let response = client.send(&Request::get("a.test", target)).await.unwrap();
        assert_eq!((response.status, response.text().as_str()), (status, body));
        for method in ["GET", "HEAD"] {
            let request = Request::new(method, "a.test", target);
            let response = client.send(&request).await.unwrap();
            assert_eq!(response.status, status, "{method} {target}");
            assert_eq!(response.header("content-length"), length);
            assert_eq!(response.header("content-type"), media_type);
            assert_eq!(response.header("x-edit"), Some("1"));
            let retry: Vec<_> = response.headers("retry-after").collect();
            assert_eq!(retry.is_empty(), status != 503);
        }
    }
    let head = Request::new("HEAD", "a.test", "/large");
    assert_eq!(client.send(&head).await.unwrap().text(), "");
}

/// Every form, with an endpoint that is dead and without one.
// Row C11: redirect_to.
// Row R16: redirects without endpoints.
#[tokio::test]
async fn a_redirect_keeps_path_and_query_with_each_status_and_needs_no_endpoint() {
    let dead = Port::free();
    let mut document = format!(
        "a.test:\n  paths:\n    /: {{redirect_to: 'https://b.test:8443', servers: ['{}']}}\n    \
         /default: {{redirect_to: {{to: 'http://b.test/base/'}}}}\n",
        dead.address()
    );
    for status in [301, 302, 307, 308] {
        document.push_str(&format!(
            "    /{status}: {{redirect_to: {{to: 'https://b.test', status: {status}}}}}\n"
        ));
    }
    let fleet = serving(&document).await;
    for (target, status, location) in [
        ("/x%20y?q=%2F", 301, "https://b.test:8443/x%20y?q=%2F"),
        ("/default/x?", 301, "http://b.test/base/default/x?"),
        ("/301/x", 301, "https://b.test/301/x"),
        ("/302?q", 302, "https://b.test/302?q"),
        ("/307", 307, "https://b.test/307"),
        ("/308/;v", 308, "https://b.test/308/;v"),
    ] {
        for method in ["GET", "POST"] {
            let request = Request::new(method, "a.test", target);
            let response = raw::send(fleet.http(0), &request).await.unwrap();
            assert_eq!(response.status, status, "{method} {target}");
            assert_eq!(response.header("location"), Some(location));
        }
    }
}

#[tokio::test]
async fn a_loop_of_redirects_is_refused_with_its_routes() {
    let origin = Origin::start("a").await;
    let to = servers(&origin);
    let good = format!("c.test:\n  paths:\n    /: {{{to}}}\n");
    let fleet = serving(&good).await;
    let loops = "a.test: {paths: {/: {redirect_to: 'http://b.test'}}}\n\
                 b.test: {paths: {/: {redirect_to: 'http://a.test'}}}\n";
    let refused = fleet.push(&format!("{good}{loops}")).await;
    assert_eq!(refused.status, 502, "{}", refused.text());
    let told = refused.text();
    for part in ["4:35", "a.test/ -> b.test/ -> a.test/"] {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(fleet.get(0, "c.test", "/").await.unwrap().status, 200);
}

// Row S44: to_https in each scope.
// Row S71: the redirect to HTTPS.
// Row C20: to_https keeps the request.
// Row R2: to_https before the endpoint.
#[tokio::test]
async fn to_https_is_inherited_and_overridden_in_every_scope_and_reaches_no_endpoint() {
    let origin = Origin::start("a").await;
    let to = servers(&origin);
    let document = format!(
        "to_https: true\n\
         a.test:\n  paths:\n    /: {{{to}}}\n    /plain: {{{to}, to_https: false}}\n    \
         /answer: {{respond: {{status: 200}}}}\n    /old: {{redirect_to: 'http://b.test'}}\n\
         b.test:\n  to_https: false\n  paths:\n    /: {{{to}}}\n    /safe: {{{to}, to_https: true}}\n\
         DEFAULT:\n  paths:\n    /: {{{to}}}\n"
    );
    let fleet = Plan::new(1)
        .proxy(0, "proxy_address_tls: 127.0.0.1:443\n")
        .document(&document)
        .start()
        .await;
    fleet.until_current(LIVE).await;
    for (host, target, location) in [
        ("a.test", "/x?q=1", Some("https://a.test/x?q=1")),
        ("a.test:8080", "/answer", Some("https://a.test/answer")),
        ("a.test", "/old/x", Some("https://a.test/old/x")),
        ("a.test", "/plain/x", None),
        ("b.test", "/", None),
        ("b.test", "/safe/?q", Some("https://b.test/safe/?q")),
        ("other.test", "/a;v/%2F", Some("https://other.test/a;v/%2F")),
    ] {
        let count = origin.count();
        let response = fleet.get(0, host, target).await.unwrap();
        let expected = if location.is_some() { 301 } else { 200 };
        assert_eq!(response.status, expected, "{host}{target}");
        assert_eq!(response.header("location"), location, "{host}{target}");
        let served = usize::from(location.is_none());
        assert_eq!(origin.count() - count, served, "{host}{target}");
    }
}

/// The route is chosen by host and path alone.
// Row X8: a dead route.
#[tokio::test]
async fn a_path_whose_endpoints_are_dead_is_never_served_by_a_shorter_one() {
    let origin = Origin::start("public").await;
    let to = servers(&origin);
    let dead = Port::free();
    let fleet = serving(&format!(
        "a.test:\n  paths:\n    /: {{{to}}}\n    /admin: {{servers: ['{}'], deny: [192.0.2.0/24]}}\n",
        dead.address()
    ))
    .await;
    for _ in 0..5 {
        for target in ["/admin", "/admin/x", "//admin", "/x/../admin"] {
            let response = fleet.get(0, "a.test", target).await.unwrap();
            assert!([502, 503].contains(&response.status), "{target}");
        }
    }
    assert_eq!(origin.count(), 0);
    assert_eq!(fleet.get(0, "a.test", "/").await.unwrap().text(), "public");
}

#[tokio::test]
async fn a_tunnel_is_refused_with_the_methods_of_its_target() {
    let origin = Origin::start("a").await;
    let fleet = serving(&format!(
        "a.test: {{paths: {{/: {{{}}}}}}}\n",
        servers(&origin)
    ))
    .await;
    let request = Request::new("CONNECT", "a.test:443", "a.test:443");
    let response = raw::send(fleet.http(0), &request).await.unwrap();
    assert_eq!((response.status, response.header("allow")), (405, Some("")));
    assert_eq!(origin.count(), 0);
}
