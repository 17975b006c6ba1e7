//! A proxy that leaves: keep-alives end, exchanges finish, tunnels live to the grace.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::eventually;
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::origin::{Answer, Origin};
use aralez_tests::raw::{Connection, Request};
use rustix::process::Signal;

const GRACE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_leaving_proxy_ends_keep_alives_and_lets_tunnels_live_to_the_grace() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .proxy(0, "grace_period: 3s")
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.is_current(LIVE).await;
    fleet.serves(LIVE, "a.test", "a").await;
    let get = Request::get("a.test", "/");
    let mut idle = Connection::open(fleet.http(0)).await.unwrap();
    assert!(!idle.send(&get).await.unwrap().closes());
    origin.answer_once(Answer::web_socket_echo());
    let mut tunnel = Connection::open(fleet.http(0)).await.unwrap();
    let upgrade = Request::get("a.test", "/ws")
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket");
    assert_eq!(tunnel.send(&upgrade).await.unwrap().status, 101);

    origin.answer_once(Answer::ok("late").after(Duration::from_secs(1)));
    let mut busy = Connection::open(fleet.http(0)).await.unwrap();
    busy.write(&Request::get("a.test", "/slow").head())
        .await
        .unwrap();
    let arrived = || async {
        match origin.last().target() {
            "/slow" => Ok(()),
            other => Err(other.to_owned()),
        }
    };
    eventually(LIVE, "the slow request is under way", arrived).await;

    let mut proxy = fleet.proxies[0].take().unwrap();
    let told = Instant::now();
    proxy.signal(Signal::TERM);
    assert!(
        idle.read_exact(1).await.is_err(),
        "an idle connection is closed"
    );
    let closed = told.elapsed();
    let last = busy.answer("GET").await.unwrap();
    assert_eq!((last.status, last.text().as_str()), (200, "late"));
    assert!(last.closes(), "its client is asked to go elsewhere");

    let mut echoes = 0;
    while told.elapsed() < GRACE - Duration::from_millis(500) {
        tunnel.write(b"ping").await.unwrap();
        assert_eq!(tunnel.read_exact(4).await.unwrap(), b"ping");
        echoes += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, _) = proxy.end(Duration::from_secs(10)).await.unwrap();
    println!(
        "idle closed after {closed:?}, {echoes} echoes while draining, left after {:?}",
        told.elapsed()
    );
    assert_eq!(status.code(), Some(0));
    assert!(tunnel.read_exact(1).await.is_err(), "the grace is over");
    assert!(
        told.elapsed() < Duration::from_secs(9),
        "{:?}",
        told.elapsed()
    );
}

/// The kernel holds a connection until its client sends something (`client_defer_accept`): one that it holds when the listener closes would
/// be reset.
#[tokio::test]
async fn clients_that_connected_before_the_close_and_speak_after_it_are_served() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .proxy(0, "grace_period: 10s")
        .document(&site("a.test", &[origin.address()]))
        .lay_out();
    let file = fleet.folder().join("proxy-0.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("lame_duck: 0s", "lame_duck: 3s")).unwrap();
    fleet.start_control().await;
    fleet.start_proxy(0).await;
    fleet.is_current(LIVE).await;
    fleet.serves(LIVE, "a.test", "a").await;
    let address = fleet.http(0);

    let proxy = fleet.proxies[0].as_ref().unwrap();
    proxy.signal(Signal::TERM);
    let draining = || async {
        let ready = aralez_tests::raw::get(fleet.admin(0), "admin", "/readyz").await?;
        (ready.status == 503)
            .then_some(())
            .ok_or_else(|| "it is ready".to_owned())
    };
    eventually(LIVE, "the proxy drains", draining).await;
    let clients: Vec<_> = (0..10)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let closed = || async {
        match TcpStream::connect(address) {
            Ok(_) => Err("it accepts".to_owned()),
            Err(_) => Ok(()),
        }
    };
    eventually(LIVE, "the listener is closed", closed).await;
    let answered = tokio::task::spawn_blocking(move || {
        for mut client in clients {
            let limit = Some(Duration::from_secs(10));
            client.set_read_timeout(limit).unwrap();
            client
                .write_all(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
                .unwrap();
            let mut answer = [0; 12];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 200");
        }
    });
    answered.await.unwrap();
    let (status, _) = fleet.proxies[0].take().unwrap().end(LIVE).await.unwrap();
    assert_eq!(status.code(), Some(0));
}
