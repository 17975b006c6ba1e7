//! Control is killed, proxies restart, configurations follow in quick succession: no request fails, and nothing is resent that a proxy
//! already holds.

use std::time::Duration;

use aralez_tests::document::{many, versioned};
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fault_proxy::Faults;
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::load::{self, Load, one_version};
use aralez_tests::origin::Origin;

/// Limit for a stream that delivers nothing new, in bytes from control to the proxy.
const GREETING: u64 = 1_536;

fn load(fleet: &Fleet, proxy: usize) -> Load {
    let mut plan = load::LoadPlan::get(fleet.http(proxy), "a.test", "/").checked(one_version);
    plan.pause = Duration::from_millis(10);
    Load::start(&plan)
}

async fn stage(proxies: usize) -> (Fleet, Origin, Origin) {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let mut plan = Plan::new(proxies).document(&versioned("a.test", "0.a", a.address()));
    for proxy in 0..proxies {
        plan = plan.relayed(proxy);
    }
    let fleet = plan.start().await;
    fleet.until_current(LIVE).await;
    (fleet, a, b)
}

/// F-05: SIGKILL of control under load.
#[tokio::test]
async fn control_killed_under_load_fails_no_request_and_sends_nothing_that_was_held() {
    let (mut fleet, a, b) = stage(2).await;
    let head = fleet.until_current(LIVE).await;
    let mut loads = [load(&fleet, 0), load(&fleet, 1)];
    for load in &mut loads {
        load.flows(50).await;
    }
    fleet.kill_control();
    for load in &mut loads {
        load.flows(200).await;
    }
    for relay in fleet.relays.iter().flatten() {
        relay.counts().forget();
    }
    fleet.start_control().await;
    assert_eq!(
        fleet.until_current(LIVE * 2).await,
        head,
        "the revision goes on over a restart"
    );
    for (proxy, relay) in fleet.relays.iter().flatten().enumerate() {
        let bytes = relay.counts().back();
        println!(
            "proxy-{proxy}: {bytes} bytes and {} connections to be current again",
            relay.counts().connections()
        );
        assert!(
            bytes <= GREETING,
            "proxy-{proxy} was sent {bytes} bytes that it held"
        );
    }
    fleet.save(&versioned("a.test", "1.b", b.address()));
    assert_eq!(fleet.follows(head).await, head + 1);
    for load in loads {
        let tally = load.stop().await;
        println!(
            "{} requests on {} connections, {} failed",
            tally.requests, tally.connects, tally.failed
        );
        tally.assert_clean();
        assert_eq!(tally.connects, 8, "the connections live on");
    }
    drop(a);
}

/// F-12: control is down, the cache is good.
#[tokio::test]
async fn a_proxy_that_restarts_without_control_serves_from_its_cache() {
    let (mut fleet, _a, _b) = stage(2).await;
    let head = fleet.until_current(LIVE).await;
    let persisted = || async {
        same(
            &fleet.node(0).await?.all["persisted"]["revision"].as_u64(),
            &Some(head),
        )
    };
    eventually(LIVE * 2, "the version is safe on disk", persisted).await;
    fleet.kill_control();
    fleet.kill_proxy(0);
    let start = std::time::Instant::now();
    fleet.start_proxy(0).await;
    let took = fleet.until_serving(LIVE, "a.test", "a").await;
    println!(
        "serves from its cache {:?} after its start ({took:?} after it was alive)",
        start.elapsed()
    );
    let version = fleet.version(0).await.unwrap();
    assert_eq!(
        (version["origin"].as_str(), version["revision"].as_u64()),
        (Some("cache"), Some(head))
    );
    fleet.until_ready(0).await;
    fleet.relays[0].as_ref().unwrap().counts().forget();
    fleet.start_control().await;
    assert_eq!(fleet.until_current(LIVE * 2).await, head);
    let bytes = fleet.relays[0].as_ref().unwrap().counts().back();
    println!("{bytes} bytes to be current again after a restart from the cache");
    assert!(bytes <= GREETING, "{bytes} bytes for what the cache held");
}

#[tokio::test]
async fn fifty_revisions_under_load_fail_no_request_and_mix_no_answer() {
    let (fleet, a, b) = stage(2).await;
    let before = fleet.head().await.unwrap();
    let mut loads = [load(&fleet, 0), load(&fleet, 1)];
    for revision in 1..=50_u64 {
        let (name, origin) = if revision % 2 == 0 {
            ("a", &a)
        } else {
            ("b", &b)
        };
        let text = versioned("a.test", &format!("{revision}.{name}"), origin.address());
        let response = fleet.push(&text).await;
        assert_eq!(response.status, 200, "{}", response.text());
        for load in &mut loads {
            load.flows(5).await;
        }
    }
    let head = fleet.follows(before + 49).await;
    assert_eq!(head, before + 50, "each push is a revision");
    fleet.until_serving(LIVE, "a.test", "a").await;
    for load in loads {
        let tally = load.stop().await;
        println!(
            "{} requests on {} connections, {} failed, {} mixed",
            tally.requests, tally.connects, tally.failed, tally.mixed
        );
        tally.assert_clean();
        assert_eq!(tally.connects, 8, "the connections live on");
    }
    assert!(a.count() > 50 && b.count() > 50, "both versions served");
}

#[tokio::test]
async fn a_stream_that_is_cut_stalled_or_slow_catches_up_to_the_newest() {
    let (fleet, a, b) = stage(2).await;
    let relay = fleet.relays[0].as_ref().unwrap();
    let mut load = load(&fleet, 0);
    relay.cut();
    for (version, origin) in [("1.b", &b), ("2.a", &a), ("3.b", &b)] {
        let response = fleet
            .push(&versioned("a.test", version, origin.address()))
            .await;
        assert_eq!(response.status, 200);
    }
    let lost = || async { same(&fleet.node(0).await?.connected, &false) };
    eventually(LIVE, "control sees that the stream is gone", lost).await;
    let other = || async { same(&fleet.get(1, "a.test", "/").await?.text().as_str(), &"b") };
    eventually(LIVE, "the other proxy moves on", other).await;
    stays(
        Duration::from_millis(300),
        "the cut one serves what it had",
        || async { same(&fleet.get(0, "a.test", "/").await?.text().as_str(), &"a") },
    )
    .await;
    relay.heal();
    fleet.until_current(LIVE * 4).await;
    relay.set(Faults {
        delay: Duration::from_millis(100),
        bytes_per_second: Some(50_000),
        ..Faults::default()
    });
    fleet.apply(&versioned("a.test", "4.a", a.address())).await;
    relay.set(Faults {
        cut_after: Some(40),
        ..Faults::default()
    });
    fleet.save(&versioned("a.test", "5.b", b.address()));
    fleet.serves_on(1, LIVE, "a.test", "b").await;
    relay.heal();
    fleet.until_current(LIVE * 4).await;
    fleet.until_serving(LIVE, "a.test", "b").await;
    load.flows(20).await;
    load.stop().await.assert_clean();
}

#[tokio::test]
async fn a_proxy_that_missed_a_revision_and_a_restart_is_sent_only_what_differs() {
    let hosts = 1_000;
    let origin = Origin::start("a").await;
    let plan = Plan::new(1).document(&many(hosts, "0", origin.address()));
    let mut fleet = plan.relayed(0).start().await;
    let head = fleet.until_current(LIVE).await;
    let relay = fleet.relays[0].as_ref().unwrap();
    let whole = relay.counts().back();
    relay.cut();
    let pushed = fleet.push(&many(hosts, "1", origin.address())).await;
    assert_eq!(pushed.status, 200, "{}", pushed.text());
    fleet.kill_control();
    fleet.start_control().await;
    let relay = fleet.relays[0].as_ref().unwrap();
    relay.counts().forget();
    relay.heal();
    assert_eq!(fleet.follows(head).await, head + 1);
    let (forth, back) = (relay.counts().forth(), relay.counts().back());
    println!("everything: {whole} bytes; what differs: {back} to the proxy, {forth} from it");
    assert!(back <= 8 * 1_024, "{back} bytes for one host of {hosts}");
    assert!(forth <= 64 * 1_024, "{forth} bytes to find it");
    let log = fleet.log("control");
    assert!(log.contains("resume=Repair"), "{log}");
}
