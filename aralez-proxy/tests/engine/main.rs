//! Tests of the engine in this process, with real sockets on both sides.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by a panic, in its helpers too"
)]

mod arrivals;
mod client;
mod ends;
mod exchange;
mod limits;
mod node;
mod origin;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use aralez_proto::model::{Action, Direction, Header, HeaderEdits, Redirect, RedirectStatus};
use aralez_proto::rules::{RequestHeaders, ResponseHeaders, Timeouts, ToHttps};
use client::Client;
use node::{Node, Site};
use origin::{Origin, response};

#[test]
fn a_node_that_has_nothing_loaded_answers_503_and_when_to_come_back() {
    let node = Node::empty();
    let mut client = Client::connect(node.address);
    for _ in 0..2 {
        let response = client.get("a.example", "/", "");
        assert_eq!(response.status, 503);
        assert_eq!(response.field("retry-after"), Some("1"));
        assert_eq!(response.field("server"), None);
    }
}

#[test]
fn a_request_reaches_its_endpoint_and_what_we_say_of_the_client_replaces_what_it_claims() {
    let origin = Origin::ok();
    let node = Node::serving(&[Site::new("a.example", "/", &[&origin])]);
    let mut client = Client::connect(node.address);
    let spoofed = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: https\r\n\
                   Forwarded: for=6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n\
                   Connection: X-Hop\r\nX-Hop: 1\r\nX-Kept: 1\r\n";
    let response = client.get("A.example", "/x/../y//z?q=%20", spoofed);
    assert_eq!((response.status, response.body.as_str()), (200, "fine"));
    let head = &origin.heads()[0];
    assert!(head.starts_with("GET /y/z?q=%20 HTTP/1.1\r\n"), "{head}");
    let head = head.to_ascii_lowercase();
    for field in [
        "host: a.example",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-host: a.example",
        "x-forwarded-proto: http",
        "via: 1.1 aralez-0000000000000000",
        "cdn-loop: aralez-0000000000000000",
        "x-kept: 1",
    ] {
        assert_eq!(
            head.lines().filter(|line| *line == field).count(),
            1,
            "{field} in {head}"
        );
    }
    for gone in ["6.6.6.6", "evil", "https", "x-hop"] {
        assert!(!head.contains(gone), "{gone} in {head}");
    }
}

#[test]
fn headers_are_edited_on_both_ways_and_the_endpoints_connection_is_its_own() {
    let fields = "Connection: X-Private\r\nX-Private: 1\r\nKeep-Alive: timeout=5\r\nX-Old: 1\r\n";
    let origin = Origin::start(move |_| response("200 OK", fields, "fine"));
    let edits = |direction, set: &str, remove: &str| HeaderEdits {
        set: vec![Header::new(direction, set, "ours").unwrap()],
        append: Vec::new(),
        remove: vec![remove.to_owned()],
    };
    let mut site = Site::new("a.example", "/", &[&origin]);
    site.route.rules.request_headers =
        RequestHeaders(edits(Direction::Request, "x-request", "x-secret"));
    site.route.rules.response_headers =
        ResponseHeaders(edits(Direction::Response, "x-response", "x-old"));
    let node = Node::serving(&[site]);
    let response = Client::connect(node.address).get("a.example", "/", "X-Secret: 1\r\n");
    assert_eq!(response.field("x-response"), Some("ours"));
    for gone in ["x-old", "x-private", "keep-alive"] {
        assert_eq!(response.field(gone), None, "{gone}");
    }
    let head = origin.heads()[0].to_ascii_lowercase();
    assert!(
        head.contains("x-request: ours\r\n") && !head.contains("x-secret"),
        "{head}"
    );
}

#[test]
fn the_endpoints_version_and_framing_are_not_the_clients() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine\r\n0\r\n\r\n";
    let chunks = Origin::start(move |_| chunked.as_bytes().to_vec());
    let old = Origin::start(|_| b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine".to_vec());
    let node = Node::serving(&[
        Site::new("new.example", "/", &[&chunks]),
        Site::new("old.example", "/", &[&old]),
    ]);
    let response = Client::connect(node.address).get("old.example", "/", "");
    assert!(
        response.head.starts_with("http/1.1 200"),
        "{}",
        response.head
    );

    let mut client = Client::connect(node.address);
    let request = "GET / HTTP/1.0\r\nHost: new.example\r\nConnection: keep-alive\r\n\r\n";
    let response = client.send(request);
    assert_eq!(response.field("transfer-encoding"), None);
    assert_eq!(response.field("connection"), Some("close"));
    assert_eq!(response.body + &client.rest(), "fine");
}

#[test]
fn redirects_keep_path_and_query_and_the_connection() {
    let mut site = Site::new("a.example", "/old", &[]);
    site.route.action = Action::Redirect(Redirect {
        to: "https://new.example".parse().unwrap(),
        status: RedirectStatus::PermanentRedirect,
    });
    let mut secure = Site::new("s.example", "/", &[]);
    secure.route.rules.to_https = ToHttps(Some(true));
    let node = Node::serving(&[site, secure]);
    let mut client = Client::connect(node.address);
    let response = client.get("a.example", "/old/x?y=1", "");
    assert_eq!(response.status, 308);
    assert_eq!(
        response.field("location"),
        Some("https://new.example/old/x?y=1")
    );
    let response = client.get("s.example", "/x?y=1", "");
    assert_eq!(response.status, 301);
    assert_eq!(
        response.field("location"),
        Some("https://s.example:8443/x?y=1")
    );
    assert_eq!(client.get("nobody.example", "/", "").status, 404);
}

#[test]
fn a_refused_connect_goes_to_another_endpoint_whatever_the_method() {
    let refused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let origin = Origin::ok();
    let mut site = Site::new("a.example", "/", &[&origin]);
    site.endpoints.push(refused);
    let node = Node::serving(&[site]);
    let mut client = Client::connect(node.address);
    for _ in 0..6 {
        let post = "POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nbody";
        assert_eq!(client.send(post).status, 200);
    }
    assert_eq!(origin.heads().len(), 6);
    let raw = origin.raw();
    assert_eq!(
        raw.matches("POST / HTTP/1.1\r\nHost: a.example\r\n")
            .count(),
        6,
        "{raw}"
    );
    assert_eq!(raw.matches("\r\n\r\nbody").count(), 6, "{raw}");
}

#[test]
fn an_endpoint_that_refuses_is_502_and_none_at_all_503() {
    let refused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut site = Site::new("a.example", "/", &[]);
    site.endpoints.push(refused);
    let node = Node::serving(&[site, Site::new("b.example", "/", &[])]);
    assert_eq!(
        Client::connect(node.address)
            .get("a.example", "/", "")
            .status,
        502
    );
    let response = Client::connect(node.address).get("b.example", "/", "");
    assert_eq!(response.status, 503);
    assert_eq!(response.field("retry-after"), Some("1"));
}

#[test]
fn a_silent_endpoint_is_504_within_its_limit() {
    let origin = Origin::start(|_| Vec::new());
    let mut site = Site::new("a.example", "/", &[&origin]);
    site.route.rules.timeouts = Timeouts {
        read: Some(Duration::from_millis(300)),
        ..Timeouts::default()
    };
    let mut total = Site::new("t.example", "/", &[&origin]);
    total.route.rules.timeouts = Timeouts {
        total: Some(Duration::from_millis(300)),
        ..Timeouts::default()
    };
    let node = Node::serving(&[site, total]);
    for host in ["a.example", "t.example"] {
        let start = Instant::now();
        let response = Client::connect(node.address).get(host, "/", "");
        assert_eq!(response.status, 504, "{host}");
        let took = start.elapsed();
        assert!(
            took >= Duration::from_millis(290) && took < Duration::from_secs(3),
            "{host}: the timeout is 300 ms, the response took {took:?}"
        );
    }
}

#[test]
fn an_ambiguous_request_is_400_closes_the_connection_and_reaches_nobody() {
    let origin = Origin::ok();
    let node = Node::serving(&[Site::new("a.example", "/", &[&origin])]);
    for fields in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 4\r\nContent-Length: 4\r\n",
        "Content-Length: 4, 4\r\n",
        "Host: b.example\r\n",
    ] {
        let mut client = Client::connect(node.address);
        let request = format!("POST / HTTP/1.1\r\nHost: a.example\r\n{fields}\r\n");
        assert_eq!(client.send(&request).status, 400, "{fields}");
        assert!(client.is_closed(), "connection not closed after {fields}");
    }
    let mut client = Client::connect(node.address);
    let connect = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n";
    let response = client.send(connect);
    assert_eq!((response.status, response.field("server")), (405, None));
    assert_eq!(origin.raw(), "");
}

#[test]
fn a_switch_of_protocols_that_nobody_asked_for_is_502_and_a_websocket_passes() {
    let switch =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let origin = Origin::start(move |_| switch.as_bytes().to_vec());
    let node = Node::serving(&[Site::new("a.example", "/", &[&origin])]);
    let response = Client::connect(node.address).get("a.example", "/", "");
    assert_eq!(response.status, 502);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let response = Client::connect(node.address).get("a.example", "/", upgrade);
    assert_eq!(response.status, 101);
    assert_eq!(response.field("upgrade"), Some("websocket"));
}

#[test]
fn a_closed_engine_lets_go_of_idle_clients_and_takes_nobody() {
    let origin = Origin::ok();
    let node = Node::serving(&[Site::new("a.example", "/", &[&origin])]);
    let mut client = Client::connect(node.address);
    assert_eq!(client.get("a.example", "/", "").status, 200);
    let address = node.address;
    node.close();
    assert!(client.is_closed(), "the idle connection is still open");
    assert!(std::net::TcpStream::connect(address).is_err());
}
