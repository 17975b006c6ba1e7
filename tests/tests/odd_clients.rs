//! Old clients, probes and other load balancers: their requests are served where they have only one reading.

use aralez_tests::document::site;
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw::Connection;

/// Returns the status of the proxy's answer to these bytes.
async fn status(fleet: &Fleet, head: &str) -> u16 {
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    connection.write(head.as_bytes()).await.unwrap();
    let answer = connection.response("GET").await;
    answer
        .unwrap_or_else(|error| panic!("{head:?}: {error}"))
        .status
}

#[tokio::test]
async fn the_default_check_of_haproxy_is_answered_by_the_default_host() {
    let (named, default) = (Origin::start("named").await, Origin::start("default").await);
    let document = site("a.test", &[named.address()]) + &site("DEFAULT", &[default.address()]);
    let fleet = Plan::new(1).document(&document).start().await;
    fleet.until_current(LIVE).await;

    assert_eq!(status(&fleet, "OPTIONS / HTTP/1.0\r\n\r\n").await, 200);
    let seen = default.last();
    assert_eq!((seen.method(), seen.target()), ("OPTIONS", "/"));
    let address = fleet.http(0).to_string();
    assert_eq!(seen.header("host"), Some(address.as_str()));
    assert_eq!(seen.header("x-forwarded-host"), None);

    let absolute = "GET http://a.test:80/x HTTP/1.0\r\n\r\n";
    assert_eq!(status(&fleet, absolute).await, 200);
    let seen = named.last();
    assert_eq!(
        (seen.target(), seen.header("host")),
        ("/x", Some("a.test:80"))
    );
}

#[tokio::test]
async fn without_a_default_host_a_request_that_names_none_is_refused() {
    let origin = Origin::start("a").await;
    let document = site("a.test", &[origin.address()]);
    let fleet = Plan::new(1).document(&document).start().await;
    fleet.until_current(LIVE).await;
    for head in [
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.0\r\nHost:\r\n\r\n",
    ] {
        assert_eq!(status(&fleet, head).await, 400, "{head:?}");
    }
    assert_eq!(origin.count(), 0);
}

#[tokio::test]
async fn an_empty_port_and_the_port_of_the_scheme_are_no_other_host() {
    let origin = Origin::start("a").await;
    let document = site("a.test", &[origin.address()]);
    let fleet = Plan::new(1).document(&document).start().await;
    fleet.until_current(LIVE).await;
    for head in [
        "GET / HTTP/1.1\r\nHost: a.test:\r\n\r\n",
        "GET http://a.test:80/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "GET http://A.test/ HTTP/1.1\r\nHost: a.test:80\r\n\r\n",
        "GET https://a.test:443/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
    ] {
        assert_eq!(status(&fleet, head).await, 200, "{head:?}");
    }
    for head in [
        "GET http://a.test:81/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "GET https://a.test:80/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
    ] {
        assert_eq!(status(&fleet, head).await, 400, "{head:?}");
    }
}
