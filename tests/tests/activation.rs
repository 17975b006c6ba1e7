//! Socket activation: sockets that systemd passes to the proxy at its start.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::eventually::eventually;
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::{alive, binary, kill};
use aralez_tests::raw;
use rustix::process::Signal;

/// Moves the socket from standard input to descriptor 3, where systemd places the first socket, and addresses it to this process by
/// `LISTEN_PID`.
const ACTIVATE: &str =
    "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=web exec \"$@\"";

struct Activated(Child);

impl Activated {
    fn start(fleet: &Fleet, socket: &TcpListener) -> Self {
        let socket = OwnedFd::from(socket.try_clone().unwrap());
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(log(fleet))
            .unwrap();
        let child = Command::new("sh")
            .args(["-c", ACTIVATE, "sh"])
            .arg(binary("aralez-proxy"))
            .arg("-c")
            .arg(fleet.folder().join("proxy-0.yaml"))
            .stdin(Stdio::from(socket))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }

    async fn end(&mut self) -> Option<i32> {
        let ended = || {
            let ended = self.0.try_wait().unwrap();
            async move { ended.ok_or_else(|| "it runs".to_owned()) }
        };
        eventually(LIVE * 2, "the proxy ends", ended).await.code()
    }
}

impl Drop for Activated {
    fn drop(&mut self) {
        if alive(self.0.id()) {
            kill(self.0.id(), Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

fn log(fleet: &Fleet) -> std::path::PathBuf {
    fleet.folder().join("activated.log")
}

/// Binds the proxy's address, as systemd does before it starts a service.
fn bound(address: SocketAddr) -> TcpListener {
    TcpListener::bind(address).unwrap()
}

#[tokio::test]
async fn connections_wait_while_a_socket_activated_proxy_is_restarted() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    fleet.start_control().await;
    let socket = bound(fleet.http(0));
    for _ in 0..2 {
        // The proxy does not run yet: the connection waits in the accept queue.
        let address = fleet.http(0);
        let waiting = tokio::spawn(async move { raw::get(address, "a.test", "/").await });
        let mut proxy = Activated::start(&fleet, &socket);
        let answer = waiting.await.unwrap().unwrap();
        // At its first start the proxy has no configuration yet.
        assert!([200, 503].contains(&answer.status), "{}", answer.status);
        fleet.serves_on(0, LIVE, "a.test", "a").await;
        kill(proxy.0.id(), Signal::TERM);
        assert_eq!(proxy.end().await, Some(0));
        assert!(TcpStream::connect(address).is_ok(), "the socket stays open");
    }
}

#[tokio::test]
async fn a_passed_socket_that_no_key_names_is_an_error_that_names_it() {
    let fleet = Plan::new(1).lay_out();
    let socket = bound("127.0.0.1:0".parse().unwrap());
    let address = socket.local_addr().unwrap().to_string();
    assert_eq!(Activated::start(&fleet, &socket).end().await, Some(1));
    let said = std::fs::read_to_string(log(&fleet)).unwrap();
    for part in [address.as_str(), "web", "proxy_address_http"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn the_socket_unit_names_the_addresses_that_the_proxy_has_by_default() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/systemd/aralez-proxy.socket");
    let unit = std::fs::read_to_string(unit).unwrap();
    let streams = unit
        .lines()
        .filter_map(|line| line.strip_prefix("ListenStream="));
    let addresses: Vec<SocketAddr> = streams.map(|stream| stream.parse().unwrap()).collect();
    let defaults = aralez_proto::main_config::MainConfig::default();
    let http = defaults.proxy_address_http.first;
    assert_eq!(addresses, [http, defaults.proxy_admin_address]);
    let known = ["[Unit]", "[Socket]", "[Install]"];
    let sections = unit.lines().filter(|line| line.starts_with('['));
    assert_eq!(sections.collect::<Vec<_>>(), known);
}

#[tokio::test]
async fn sockets_for_another_process_are_left_alone() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    fleet.start_control().await;
    let config = fleet.folder().join("proxy-0.yaml");
    let child = Command::new(binary("aralez-proxy"))
        .arg("-c")
        .arg(config)
        .env("LISTEN_PID", "1")
        .env("LISTEN_FDS", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _proxy = Activated(child);
    fleet
        .serves_on(0, Duration::from_secs(20), "a.test", "a")
        .await;
}
