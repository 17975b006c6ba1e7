//! Silent peers are abandoned: a control that hangs, a half-open connection, a frozen proxy. After a partition, the peers find each other
//! again.

use std::time::{Duration, Instant};

use aralez_tests::document::versioned;
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::proof::{Kept, amount};
use aralez_tests::raw;
use rustix::process::Signal;

/// Short, so that a test can wait for two and a half of them.
const HEARTBEAT: Duration = Duration::from_millis(800);
/// Time within which a silent peer must be abandoned, with a margin for a busy machine; shorter than HTTP/2 pings would need.
const LEFT: Duration = Duration::from_secs(10);

async fn fleet(origin: &Origin, proxies: usize, relayed: usize) -> Fleet {
    let heartbeat = HEARTBEAT.as_millis().to_string();
    // The generation is settled from the start, so control does not raise it above what its nodes hold.
    let arguments = ["--heartbeat-ms", &heartbeat, "--settling-ms", "0"];
    let mut plan = Plan::new(proxies).control_arguments(&arguments);
    for proxy in 0..relayed {
        plan = plan.relayed(proxy);
    }
    // In a fleet with several relayed proxies, the first also has a second control address, where nothing listens.
    if relayed > 1 {
        plan = plan.proxy(0, "  - unix:/nonexistent/control.sock");
    }
    let document = versioned("a.test", "1", origin.address());
    let fleet = plan.document(&document).start().await;
    fleet.until_current(LIVE).await;
    fleet
}

async fn dials_again(fleet: &Fleet) {
    let counts = fleet.relays[0].as_ref().unwrap().counts();
    counts.forget();
    let start = Instant::now();
    let dials = || async { same(&(counts.connections() > 0), &true) };
    eventually(LEFT, "the proxy leaves the silent stream", dials).await;
    println!("left after {:?}", start.elapsed());
    let answer = fleet.get(0, "a.test", "/").await.unwrap();
    assert_eq!(answer.status, 200, "serving goes on");
}

/// F-06: control hangs; half-open connection.
#[tokio::test]
async fn a_control_that_hangs_and_a_connection_that_is_only_half_there_are_left() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&origin, 1, 1).await;
    fleet.control().signal(Signal::STOP);
    dials_again(&fleet).await;
    fleet.control().signal(Signal::CONT);
    fleet.until_current(LEFT * 2).await;

    // Control has welcomed it, but the welcome may still be in flight, and a proxy that is not yet welcomed waits longer.
    let welcomed = || async {
        let metrics = raw::get(fleet.admin(0), "admin", "/metrics").await?.text();
        same(&metrics.contains("\naralez_control_connected 1\n"), &true)
    };
    eventually(LEFT, "the proxy is welcomed", welcomed).await;
    let relay = fleet.relays[0].as_ref().unwrap();
    relay.stall();
    dials_again(&fleet).await;
    let lost = || async { same(&fleet.node(0).await?.connected, &false) };
    eventually(LEFT, "control leaves the half-open stream as well", lost).await;
    relay.heal();
    relay.sever();
    fleet.until_current(LEFT * 2).await;
}

/// F-06, F-07: a frozen node is reported lost and does not delay the others.
#[tokio::test]
async fn a_frozen_proxy_is_lost_to_control_and_current_again_when_it_goes_on() {
    let origin = Origin::start("a").await;
    let fleet = fleet(&origin, 2, 0).await;
    stays(HEARTBEAT * 5, "nobody is lost who is well", || async {
        same(&fleet.node(0).await?.connected, &true)
    })
    .await;
    let frozen = fleet.proxies[0].as_ref().unwrap();
    frozen.signal(Signal::STOP);
    let start = Instant::now();
    let lost = || async { same(&fleet.node(0).await?.connected, &false) };
    eventually(LEFT, "control tells that the node is lost", lost).await;
    println!("lost after {:?}", start.elapsed());
    fleet.save(&versioned("a.test", "2", origin.address()));
    let moves_on = || async {
        let answer = fleet.get(1, "a.test", "/").await?;
        same(&answer.header("x-version"), &Some("2"))
    };
    eventually(LIVE, "the other proxy moves on", moves_on).await;
    frozen.signal(Signal::CONT);
    fleet.until_current(LEFT * 2).await;
    assert_eq!(
        fleet
            .get(0, "a.test", "/")
            .await
            .unwrap()
            .header("x-version"),
        Some("2")
    );
}

/// F-18: five of eight nodes are partitioned for so long that they rarely retry, then the partition ends.
#[tokio::test]
async fn half_of_the_nodes_are_on_the_newest_version_within_5_s_of_the_end_of_a_partition() {
    // After this time, the next attempt of most backing-off nodes is more than 5 s away.
    let apart = Duration::from_secs(amount(25, 120));
    let origin = Origin::start("a").await;
    let fleet = fleet(&origin, 8, 5).await;
    for relay in fleet.relays.iter().flatten() {
        relay.remove_socket();
    }
    let start = Instant::now();
    let mut number = 1;
    while start.elapsed() < apart {
        number += 1;
        let document = versioned("a.test", &number.to_string(), origin.address());
        assert_eq!(fleet.push(&document).await.status, 200);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let newest = number.to_string();
    for proxy in 0..8 {
        let version = if proxy < 5 { "1" } else { newest.as_str() };
        let answer = fleet.get(proxy, "a.test", "/").await.unwrap();
        assert_eq!(answer.header("x-version"), Some(version), "proxy-{proxy}");
    }
    for relay in fleet.relays.iter().flatten() {
        relay.heal();
    }
    let healed = Instant::now();
    let head = fleet.until_current(Duration::from_secs(60)).await;
    let took = healed.elapsed();
    let measured = format!(
        "{:.1} s after a partition of {} s and {head} revisions",
        took.as_secs_f64(),
        apart.as_secs()
    );
    let row = Kept {
        what: "5 of 8 nodes partitioned, then reachable again: time until all run the newest version (F-18)",
        goal: "≤ 5 s after the partition ends",
        measured: &measured,
        met: took <= Duration::from_secs(5),
        test: "watchdog",
    };
    row.keep("partition");
    assert!(row.met, "{measured}");
}

/// F-04: a proxy does not return to an older head of the same generation.
#[tokio::test]
async fn a_control_put_back_to_an_older_state_takes_no_proxy_back() {
    let origin = Origin::start("a").await;
    let mut fleet = fleet(&origin, 1, 0).await;
    let document = |version: &str| versioned("a.test", version, origin.address());
    let (state, copy) = (fleet.state().join("control"), fleet.folder().join("copy"));
    let settled = || async {
        let log = fleet.log("control");
        same(&log.contains("generation settled"), &true)
    };
    eventually(LIVE, "the history is settled", settled).await;
    fleet.kill_control();
    copy_folder(&state, &copy);
    fleet.start_control().await;
    let second = fleet.apply(&document("2")).await;
    let third = fleet.apply(&document("3")).await;
    assert_eq!(third, second + 1);
    fleet.kill_control();
    std::fs::remove_dir_all(&state).unwrap();
    copy_folder(&copy, &state);
    fleet.save(&document("1"));
    fleet.start_control().await;
    let says = || async {
        let log = fleet.log("control");
        same(&log.contains("newer"), &true).map_err(|_| log)
    };
    eventually(LIVE, "control says that the node is ahead", says).await;
    stays(
        Duration::from_secs(2),
        "the proxy keeps what it has",
        || async {
            same(&fleet.revision(0).await?, &third)?;
            let answer = fleet.get(0, "a.test", "/").await?;
            same(&answer.header("x-version"), &Some("3"))
        },
    )
    .await;
    for version in ["4", "5", "6"] {
        assert_eq!(fleet.push(&document(version)).await.status, 200);
    }
    assert!(fleet.head().await.unwrap() > third);
    let catches_up = || async {
        let answer = fleet.get(0, "a.test", "/").await?;
        same(&answer.header("x-version"), &Some("6"))
    };
    eventually(LEFT * 3, "a newer revision is taken again", catches_up).await;
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status();
    assert!(copied.unwrap().success());
}
