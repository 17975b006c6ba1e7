//! `trusted_proxies`: only the proxies in this list are believed about their clients, live.

use std::net::Ipv4Addr;

use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::text;
use aralez_tests::raw::{Connection, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// The address of the trusted proxy.
const PROXY: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// The address of a client that is not trusted.
const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Sends one request with these header lines from a loopback address; returns the status.
async fn ask(fleet: &Fleet, from: Ipv4Addr, target: &str, lines: &[&str]) -> u16 {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(fleet.http(0)).await.unwrap();
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let request =
        format!("GET {target} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n{lines}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response[9..12].parse().unwrap()
}

/// A document that trusts the proxy, with one route for each rule that depends on the client.
fn document(origin: &Origin) -> String {
    let servers = format!("servers: [\"{}\"]", origin.address());
    format!(
        "trusted_proxies: [127.0.0.1, 10.0.0.0/8]\n\
         a.test:\n  paths:\n    /: {{{servers}}}\n    \
         /denied: {{{servers}, deny: [192.0.2.0/24]}}\n    \
         /allowed: {{{servers}, allow: [192.0.2.0/24, 127.0.0.1]}}\n    \
         /safe: {{{servers}, to_https: true}}\n"
    )
}

async fn serving(document: &str) -> Fleet {
    let fleet = Plan::new(1).document(document).start().await;
    fleet.until_current(LIVE).await;
    fleet
}

// Row T-04: fields about the client.
// Row R-02: limits behind proxies.
#[tokio::test]
async fn a_client_is_judged_by_the_address_that_a_trusted_proxy_vouches_for() {
    let origin = Origin::start("a").await;
    let fleet = serving(&document(&origin)).await;
    let long = format!("X-Forwarded-For: {}198.51.100.1", "192.0.2.1, ".repeat(30));
    for (from, target, line, expected) in [
        (PROXY, "/denied", "X-Forwarded-For: 192.0.2.1", 403),
        (CLIENT, "/denied", "X-Forwarded-For: 192.0.2.1", 200),
        (
            PROXY,
            "/denied",
            "X-Forwarded-For: 192.0.2.1, 198.51.100.1",
            200,
        ),
        (
            PROXY,
            "/denied",
            "X-Forwarded-For: 192.0.2.1, 10.0.0.2",
            403,
        ),
        (PROXY, "/denied", "Forwarded: for=192.0.2.1", 403),
        (PROXY, "/denied", "X_Forwarded_For: 192.0.2.1", 200),
        (PROXY, "/allowed", "X-Forwarded-For: 192.0.2.1", 200),
        (CLIENT, "/allowed", "X-Forwarded-For: 192.0.2.1", 403),
        (CLIENT, "/allowed", "Forwarded: for=192.0.2.1", 403),
        (
            PROXY,
            "/allowed",
            "X-Forwarded-For: 192.0.2.1, 198.51.100.1",
            403,
        ),
        (PROXY, "/allowed", &long, 403),
        (PROXY, "/allowed", "X: 1", 200),
    ] {
        let status = ask(&fleet, from, target, &[line]).await;
        assert_eq!(status, expected, "{from} {target} {line}");
    }
}

#[tokio::test]
async fn a_trusted_proxy_in_front_may_end_tls() {
    let origin = Origin::start("a").await;
    let fleet = serving(&document(&origin)).await;
    for (from, line, expected) in [
        (PROXY, "X-Forwarded-Proto: https", 200),
        (PROXY, "Forwarded: for=192.0.2.1;proto=https", 200),
        (PROXY, "X-Forwarded-Proto: https, http", 301),
        (PROXY, "X-Forwarded-Ssl: on", 301),
        (CLIENT, "X-Forwarded-Proto: https", 301),
    ] {
        let status = ask(&fleet, from, "/safe", &[line]).await;
        assert_eq!(status, expected, "{from} {line}");
    }
}

// Row P-09: fields that claim another target.
// Row T-04: fields about the client.
// Row T-05: underscores.
// Row X11: the address of the client.
#[tokio::test]
async fn an_endpoint_sees_what_a_trusted_proxy_says_and_nothing_that_a_client_says() {
    let origin = Origin::start("a").await;
    let fleet = serving(&document(&origin)).await;
    let lines = [
        "X-Forwarded-For: 6.6.6.6, 192.0.2.1",
        "X-Forwarded-For: 10.0.0.2",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: other.test",
        "X-Forwarded-Port: 444",
        "Forwarded: for=192.0.2.1;proto=https",
        "X-Real-IP: 192.0.2.1",
        "X_Real_IP: 192.0.2.1",
    ];
    let names = [
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-host",
        "x-forwarded-port",
        "forwarded",
        "x-real-ip",
        "x_real_ip",
    ];
    let from_proxy: [&[&str]; 7] = [
        &["6.6.6.6, 192.0.2.1, 10.0.0.2, 127.0.0.1"],
        &["https"],
        &["other.test"],
        &["444"],
        &["for=192.0.2.1;proto=https, for=127.0.0.1;proto=http"],
        &["192.0.2.1"],
        &["192.0.2.1"],
    ];
    let from_client: [&[&str]; 7] = [&["127.0.0.2"], &["http"], &["a.test"], &[], &[], &[], &[]];
    for (from, expected) in [(PROXY, from_proxy), (CLIENT, from_client)] {
        assert_eq!(ask(&fleet, from, "/", &lines).await, 200);
        let seen = origin.last();
        for (name, expected) in names.iter().zip(expected) {
            assert_eq!(seen.headers(name), expected, "{name} from {from}");
        }
    }
}

#[tokio::test]
async fn a_push_decides_who_is_trusted_for_the_next_request_of_an_open_connection() {
    let origin = Origin::start("a").await;
    let trusting = document(&origin);
    let (_, rest) = trusting.split_once('\n').unwrap();
    let fleet = serving(rest).await;
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    let request = Request::get("a.test", "/denied").header("X-Forwarded-For", "192.0.2.1");
    assert_eq!(connection.send(&request).await.unwrap().status, 200);
    assert_eq!(origin.last().headers("x-forwarded-for"), ["127.0.0.1"]);
    for (document, expected) in [(trusting.as_str(), 403), (rest, 200)] {
        assert_eq!(fleet.push(document).await.status, 200);
        fleet.until_current(LIVE).await;
        assert_eq!(connection.send(&request).await.unwrap().status, expected);
    }
}

#[tokio::test]
async fn whoever_trusts_everybody_is_told_so() {
    let origin = Origin::start("a").await;
    let trusting = document(&origin).replace("10.0.0.0/8", "0.0.0.0/0");
    let fleet = serving(&trusting).await;
    let file = fleet.documents().join("upstreams.yaml");
    let validated = fleet.ctl(&["validate", file.to_str().unwrap()]).await;
    let (told, code) = (text(&validated), validated.status.code());
    let warning = ":1:30: trusted_proxies[1]: 0.0.0.0/0 contains every client";
    assert!(
        code == Some(0) && told.contains("warning: ") && told.contains(warning),
        "{told}"
    );
    assert_eq!(
        ask(&fleet, CLIENT, "/denied", &["X-Forwarded-For: 192.0.2.1"]).await,
        403
    );
}
