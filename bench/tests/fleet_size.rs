//! The measurements of fleet size, at small size: the measured events happen, however slow the machine is.

use std::time::Duration;

use aralez_bench::fleet_size::options::FleetOptions;
use aralez_bench::fleet_size::stage::FleetStage;
use aralez_bench::fleet_size::{connects, discovery, refusing, removals, restart, slow};
use aralez_tests::simulator::Counts;
use clap::Parser;

/// Time bound for the few nodes here: as long as for a full-size fleet, since the machine may be busy and this is a debug build.
const GRANTED: Duration = Duration::from_secs(5);

fn small() -> FleetOptions {
    let sizes = "prove-fleet --nodes 60 --proxies 2 --hosts 40 --removals 4 --slow-commits 12 --one-slow-of 10 --connects 400 \
                 --connects-per-second 4000 --discovery-nodes 50 --pools 20 --seconds 5";
    FleetOptions::parse_from(sizes.split_whitespace())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_follows_removals_slow_readers_hold_up_nobody_and_a_restart_of_control_sends_nothing()
 {
    let options = small();
    let mut stage = FleetStage::start(&options).await.unwrap();
    let removed = removals::measure(&mut stage, &options).await.unwrap();
    println!("{removed:?}");
    assert!(removed.acknowledged.max < GRANTED, "{removed:?}");
    let slow = slow::measure(&mut stage, &options).await.unwrap();
    println!("{slow:?}");
    assert_eq!(slow.nodes, 6);
    assert!(slow.during.max < GRANTED, "{slow:?}");
    assert!(slow.growth[1] < 16 << 20, "{slow:?}");
    let restart = restart::measure(&mut stage, &options).await.unwrap();
    println!("{restart:?}");
    assert_eq!(restart.sent, Counts::default());
    assert!(restart.bytes < 4_096.0, "{restart:?}");
}

/// F-08: a connect storm is admitted at control's rate, and every node is connected in the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_herd_of_nodes_gets_in_no_faster_than_control_takes_streams_and_nobody_stays_out() {
    let options = small();
    let connects = connects::measure(&options).await.unwrap();
    println!("{connects:?}");
    // Control admits 256 immediately and the rest at 250 per second. On a busy machine the nodes may connect later than that.
    let beyond = options.connects as f64 - 256.0;
    assert!(
        connects.all_in.as_secs_f64() > beyond / 250.0,
        "{connects:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endpoints_that_come_and_go_all_the_time_reach_every_node() {
    let discovery = discovery::measure(&small()).await.unwrap();
    println!("{discovery:?}");
    assert_eq!(discovery.staleness.count, 500 * 5 * 50);
    assert!(discovery.staleness.p99 < GRANTED * 4, "{discovery:?}");
    // Control sends at most ten updates per second, plus possibly the very first one.
    assert!(discovery.updates <= 10.5, "{discovery:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_that_refuses_a_push_goes_on_following_endpoints_and_no_stream_falls_silent() {
    let options = FleetOptions {
        nodes: 200,
        hosts: 300,
        removals: 6,
        ..small()
    };
    let refused = refusing::measure(&options).await.unwrap();
    println!("{refused:?}");
    // Control builds a derivation once when the nodes refuse, which changes nothing, and once per removal, but not once per node.
    assert_eq!(refused.made, 1 + 6, "{refused:?}");
    assert_eq!(refused.lost, 0, "{refused:?}");
    assert!(refused.last.max < GRANTED * 4, "{refused:?}");
}
