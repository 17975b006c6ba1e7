//! `allow` and `deny`: clients are served or refused by their address, in every scope, live, and nothing of a refused request reaches an
//! endpoint.

use std::net::Ipv4Addr;

use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw::{Connection, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Sends one request from a loopback address; returns the response.
async fn ask(fleet: &Fleet, from: Ipv4Addr, target: &str) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(fleet.http(0)).await.unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

async fn status(fleet: &Fleet, from: Ipv4Addr, target: &str) -> u16 {
    let response = ask(fleet, from, target).await;
    response[9..12].parse().unwrap()
}

#[tokio::test]
async fn the_narrower_scope_decides_which_clients_are_served() {
    let origin = Origin::start("a").await;
    let servers = format!("servers: [\"{}\"]", origin.address());
    let document = format!(
        "deny: [127.0.0.2]\n\
         a.test:\n  paths:\n    \"/\": {{{servers}}}\n    \
         /open: {{{servers}, deny: []}}\n    \
         /other: {{{servers}, deny: [], allow: [\"127.0.0.2/32\"]}}\n    \
         /both: {{{servers}, allow: [127.0.0.0/8]}}\n"
    );
    let fleet = Plan::new(1).document(&document).start().await;
    fleet.until_current(LIVE).await;
    for (target, here, other) in [
        ("/", 200, 403),
        ("/open", 200, 200),
        ("/other", 403, 200),
        ("/both", 200, 403),
    ] {
        assert_eq!(status(&fleet, HERE, target).await, here, "{target}");
        assert_eq!(status(&fleet, OTHER, target).await, other, "{target}");
    }
    assert_eq!(origin.count(), 5, "a refused request reaches no endpoint");
}

#[tokio::test]
async fn a_refused_client_keeps_its_connection_and_is_served_once_it_is_allowed() {
    let origin = Origin::start("a").await;
    let servers = format!("servers: [\"{}\"]", origin.address());
    let site = |rule: &str| format!("a.test:\n  {rule}\n  paths: {{\"/\": {{{servers}}}}}\n");
    let fleet = Plan::new(1)
        .document(&site("allow: [192.0.2.0/24]"))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    let mut client = Connection::open(fleet.http(0)).await.unwrap();
    let request = Request::get("a.test", "/");
    let refused = client.send(&request).await.unwrap();
    assert_eq!(refused.status, 403);
    assert!(!refused.closes());
    fleet.save(&site("allow: [192.0.2.0/24, 127.0.0.1]"));
    fleet.until_serving(LIVE, "a.test", "a").await;
    assert_eq!(client.send(&request).await.unwrap().status, 200);
    assert_eq!(origin.count(), 2, "a refused request reaches no endpoint");
}
