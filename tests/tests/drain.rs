//! A proxy that leaves: keep-alives end, exchanges finish, tunnels live to the grace.

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
