//! Connections that the kernel has accepted before the listeners close are served.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::origin::Origin;
use rustix::process::Signal;

fn ask(mut client: &TcpStream) {
    let limit = Some(Duration::from_secs(10));
    client.set_read_timeout(limit).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        .unwrap();
    let mut answer = [0; 12];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

async fn answers(clients: Vec<TcpStream>) {
    let asked = tokio::task::spawn_blocking(move || clients.iter().for_each(ask));
    asked.await.unwrap();
}

/// With `client_defer_accept` the kernel holds a connection until its client sends data, and resets it if the listener closes first.
#[tokio::test]
async fn clients_that_connected_before_the_close_and_speak_after_it_are_served() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .proxy(0, "grace_period: 10s\nmax_connections_per_address: 0")
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    let file = fleet.folder().join("proxy-0.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("lame_duck: 0s", "lame_duck: 3s")).unwrap();
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.until_current(LIVE).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let address = fleet.http(0);

    let proxy = fleet.proxies[0].as_ref().unwrap();
    proxy.signal(Signal::TERM);
    fleet.until_draining(0).await;
    // Connect until the last moment: the kernel would reset connections that it still holds.
    let mut clients = Vec::new();
    while let Ok(client) = TcpStream::connect(address) {
        clients.push(client);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{} clients connected before the close", clients.len());
    assert!(clients.len() > 20);
    answers(clients).await;
    let (status, _) = fleet.proxies[0].take().unwrap().end(LIVE).await.unwrap();
    assert_eq!(status.code(), Some(0));
}

/// The same without a lame duck phase: the listeners stay open until the kernel holds no connection any more. Some clients send before the
/// listeners close, the others after.
#[tokio::test]
async fn clients_that_the_kernel_holds_at_the_signal_are_served_without_a_lame_duck_phase() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .proxy(0, "grace_period: 10s\nmax_connections_per_address: 0")
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let address = fleet.http(0);
    let connect = |_| TcpStream::connect(address).unwrap();
    let [early, late]: [Vec<_>; 2] = [0, 1].map(|_| (0..50).map(connect).collect());

    let mut proxy = fleet.proxies[0].take().unwrap();
    let told = Instant::now();
    proxy.signal(Signal::TERM);
    eventually(LIVE, "it drains", || async {
        same(&proxy.log().contains("drain started"), &true)
    })
    .await;
    answers(early).await;
    eventually(LIVE, "the listeners close", || async {
        same(&TcpStream::connect(address).is_err(), &true)
    })
    .await;
    println!("closed {:?} after the signal", told.elapsed());
    answers(late).await;
    let (status, _) = proxy.end(LIVE).await.unwrap();
    assert_eq!(status.code(), Some(0));
}

/// Returns the time between the signal and the exit of an idle proxy.
async fn leaves_after(lines: &str) -> Duration {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .proxy(0, lines)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let mut proxy = fleet.proxies[0].take().unwrap();
    let told = Instant::now();
    proxy.signal(Signal::TERM);
    let (status, _) = proxy.end(LIVE).await.unwrap();
    assert_eq!(status.code(), Some(0));
    told.elapsed()
}

#[tokio::test]
async fn where_the_kernel_holds_nobody_back_nothing_is_waited_for() {
    let held = leaves_after("").await;
    let at_once = leaves_after("client_defer_accept: false").await;
    println!("{held:?} with client_defer_accept, {at_once:?} without");
    assert!(held >= Duration::from_millis(1_500), "{held:?}");
    assert!(at_once < Duration::from_millis(1_500), "{at_once:?}");
}
