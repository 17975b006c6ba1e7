//! Unix socket endpoints: served, kept alive, avoided and changed like TCP endpoints.

use std::os::fd::OwnedFd;
use std::path::Path;

use aralez_tests::document::site;
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::raw::{Connection, Request};
use aralez_tests::slow::vitals::Metrics;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use tempfile::TempDir;

const HOST: &str = "a.test";

async fn serving(endpoints: &[&str]) -> Fleet {
    let site = site(HOST, endpoints);
    let fleet = Plan::new(1).threads(0, 1).document(&site).start().await;
    fleet.until_current(LIVE).await;
    fleet
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Sends requests of several methods on one connection; all are answered 200 with this body.
async fn all_answered(fleet: &Fleet, requests: usize, body: &str) {
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    for number in 0..requests {
        let request = match number % 2 {
            0 => Request::get(HOST, "/x"),
            _ => Request::new("POST", HOST, "/x").body("once"),
        };
        let response = connection.send(&request).await.unwrap();
        let came = (response.status, response.text());
        assert_eq!(came, (200, body.to_owned()), "{number}");
    }
}

#[tokio::test]
async fn a_socket_is_asked_as_a_port_is_and_its_connection_is_kept() {
    let folder = folder();
    let socket = Origin::start_on_socket(&folder.path().join("app.sock"), "a");
    let port = Origin::start("a").await;
    let fleet = serving(&[&socket.endpoint(), &port.endpoint()]).await;
    all_answered(&fleet, 8, "a").await;
    assert_eq!([socket.count(), port.count()], [4, 4]);
    assert_eq!([socket.connections(), port.connections()], [1, 1]);
    let request = Request::get("a.test:81", "/x?y")
        .header("X-Forwarded-For", "6.6.6.6")
        .header("X-Request-Id", "one")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        );
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    for _ in 0..2 {
        assert_eq!(connection.send(&request).await.unwrap().status, 200);
    }
    let head = socket.last().head;
    assert_eq!(head, port.last().head);
    assert!(head.contains("ost: a.test:81\r\n"), "{head}");
}

#[tokio::test]
async fn requests_go_to_another_endpoint_while_a_socket_is_gone_and_back_when_it_is_there() {
    let folder = folder();
    let path = folder.path().join("app.sock");
    let socket = Origin::start_on_socket(&path, "a");
    let other = Origin::start_on_socket(&folder.path().join("other.sock"), "a");
    let fleet = serving(&[&socket.endpoint(), &other.endpoint()]).await;
    all_answered(&fleet, 4, "a").await;
    assert!(socket.count() > 0 && other.count() > 0);
    drop(socket);
    let before = other.count();
    all_answered(&fleet, 20, "a").await;
    assert_eq!(other.count(), before + 20, "no file");
    // A stale socket file, as a killed process leaves it behind.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    all_answered(&fleet, 20, "a").await;
    assert_eq!(other.count(), before + 40, "nobody listens");
    std::fs::remove_file(&path).unwrap();
    let _back = Origin::start_on_socket(&path, "back");
    fleet.until_serving(LIVE, HOST, "back").await;
}

#[tokio::test]
async fn a_socket_that_cannot_be_connected_to_is_a_502_and_no_fault_of_this_machine() {
    let folder = folder();
    let full = folder.path().join("full.sock");
    let _crowd = crowd(&full);
    let gone = folder.path().join("gone.sock");
    for path in [&full, &gone] {
        let fleet = serving(&[&format!("unix:{}", path.display())]).await;
        let answer = fleet.get(0, HOST, "/").await.unwrap();
        assert_eq!(answer.status, 502, "{}", path.display());
        let metrics = Metrics::of(fleet.admin(0)).await.unwrap();
        assert_eq!(metrics.sum("aralez_endpoint_connect_failures_total"), 1);
        assert_eq!(
            metrics.sum("aralez_endpoint_connect_local_failures_total"),
            0
        );
    }
}

/// Creates a listener that never accepts, and the connections that fill its queue.
fn crowd(path: &Path) -> Vec<OwnedFd> {
    let socket = || {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap()
    };
    let address = SocketAddrUnix::new(path).unwrap();
    let listener = socket();
    rustix::net::bind(&listener, &address).unwrap();
    rustix::net::listen(&listener, 0).unwrap();
    let mut all = vec![listener];
    loop {
        let one = socket();
        match rustix::net::connect(&one, &address) {
            Ok(()) => all.push(one),
            Err(error) => {
                assert_eq!(error, rustix::io::Errno::AGAIN);
                return all;
            }
        }
    }
}

#[tokio::test]
async fn a_websocket_runs_over_a_socket() {
    let folder = folder();
    let origin = Origin::start_on_socket(&folder.path().join("app.sock"), "a");
    let fleet = serving(&[&origin.endpoint()]).await;
    origin.answer_once(ScriptedAnswer::web_socket_echo());
    let upgrade = Request::get(HOST, "/ws")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket");
    let mut tunnel = Connection::open(fleet.http(0)).await.unwrap();
    assert_eq!(tunnel.send(&upgrade).await.unwrap().status, 101);
    for _ in 0..3 {
        tunnel.write(b"ping").await.unwrap();
        assert_eq!(tunnel.read_exact(4).await.unwrap(), b"ping");
    }
}

#[tokio::test]
async fn a_pool_changes_from_a_port_to_a_socket_and_back_without_a_failed_request() {
    let folder = folder();
    let port = Origin::start("port").await;
    let socket = Origin::start_on_socket(&folder.path().join("app.sock"), "socket");
    let fleet = serving(&[&port.endpoint()]).await;
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    for (to, body) in [(&socket, "socket"), (&port, "port"), (&socket, "socket")] {
        fleet.save(&site(HOST, &[to.endpoint()]));
        let start = std::time::Instant::now();
        loop {
            let response = connection.send(&Request::get(HOST, "/")).await.unwrap();
            assert_eq!(response.status, 200);
            if response.text() == body {
                break;
            }
            assert!(start.elapsed() < LIVE, "{body} is not served");
        }
    }
}

#[tokio::test]
async fn a_document_that_leads_to_a_socket_of_the_daemons_is_refused() {
    let origin = Origin::start("a").await;
    let fleet = serving(&[&origin.endpoint()]).await;
    let before = fleet.head().await.unwrap();
    let upgrade = fleet.state().join("proxy-proxy-0/upgrade.sock");
    for path in [fleet.folder().join("control.sock"), upgrade] {
        let document = site(HOST, &[format!("unix:{}", path.display())]);
        let file = fleet.folder().join("bad.yaml");
        std::fs::write(&file, document).unwrap();
        let pushed = fleet.ctl(&["push", &file.display().to_string()]).await;
        let said = aralez_tests::process::text(&pushed);
        assert_eq!(pushed.status.code(), Some(1), "{said}");
        assert!(said.contains("servers[0]: unix:"), "{said}");
        assert!(said.contains("a socket of the daemons"), "{said}");
    }
    assert_eq!(fleet.head().await.unwrap(), before);
}
