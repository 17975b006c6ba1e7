//! Daemons that run out of file descriptors back off, log it once, and accept again when descriptors are free.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aralez_tests::document::site;
use aralez_tests::eventually::eventually;
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::meter::processor_time;
use aralez_tests::origin::Origin;
use aralez_tests::process::Daemon;
use aralez_tests::raw;

/// A limit below every descriptor that a running daemon has open: it can open no other.
const NONE: u64 = 3;
const PLENTY: u64 = 1000;
/// Time for which a daemon without free descriptors is observed.
const WATCHED: Duration = Duration::from_secs(2);

/// Exhausts the daemon's descriptors while a client waits at `address`, then frees them again.
async fn runs_out(daemon: &Daemon, address: SocketAddr, host: &'static str, path: &'static str) {
    daemon.limit_open_files(NONE);
    let waiting = tokio::spawn(async move { raw::get(address, host, path).await });
    let logged = || daemon.log().matches("accept failed error=").count();
    let says = || async {
        (logged() > 0)
            .then_some(())
            .ok_or_else(|| "it says nothing".to_owned())
    };
    eventually(LIVE, "it says that it cannot accept", says).await;
    let (before, since) = (processor_time(&[daemon.pid()]), Instant::now());
    tokio::time::sleep(WATCHED).await;
    let used = processor_time(&[daemon.pid()]).saturating_sub(before);
    let used = used.as_secs_f64() / since.elapsed().as_secs_f64();
    println!("{address}: {:.1} % of a core", used * 100.0);
    assert!(used < 0.2, "it spins: {used}");
    assert!(!waiting.is_finished(), "there is no descriptor for it");
    // Each of the two accepting threads logs it.
    assert!((1..=2).contains(&logged()), "{}", daemon.log());

    daemon.limit_open_files(PLENTY);
    let answer = tokio::time::timeout(LIVE, waiting).await.unwrap().unwrap();
    assert_eq!(answer.unwrap().status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_without_descriptors_does_not_spin_and_serves_who_waited_when_there_are_some() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "").await;
    let proxy = fleet.proxies[0].as_ref().unwrap();
    runs_out(proxy, fleet.http(0), "a.test", "/").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_admin_endpoint_of_a_proxy_without_descriptors_does_not_spin_either() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "").await;
    let proxy = fleet.proxies[0].as_ref().unwrap();
    runs_out(proxy, fleet.admin(0), "admin", "/metrics").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_without_descriptors_does_not_spin_and_takes_what_was_saved_when_there_are_some() {
    let origin = Origin::start("a").await;
    let fleet = Plan::one_site(&origin, "").await;
    runs_out(fleet.control(), fleet.api(), "localhost", "/livez").await;
    fleet.save(&site("b.test", &[origin.address()]));
    fleet.until_serving(LIVE, "b.test", "a").await;
    let nodes = fleet.nodes().await.unwrap();
    assert!(nodes[0].connected, "{nodes:?}");
}
