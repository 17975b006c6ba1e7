//! The measurements of a running fleet at small size; `prove-changes` runs them at full size. Time bounds are wide, since a test machine
//! may be busy; the results are printed.

use std::time::Duration;

use aralez_bench::running_fleet::table::{Row, markdown};
use aralez_bench::running_fleet::{changes, edits, large, lookup, saves};
use aralez_tests::fault_proxy::{FaultProxy, Faults};
use aralez_tests::origin::{Origin, ScriptedAnswer};
use aralez_tests::raw;

fn show(rows: &[Row]) {
    println!("{}", markdown(rows, "cargo test --test changes"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_the_host_under_load_fail_no_request_mix_no_answer_and_end_no_connection() {
    let extent = changes::ChangesExtent {
        proxies: 2,
        connections: 4,
        pause: Duration::from_millis(5),
        rounds: 1,
        changes: 60,
        every: Duration::from_millis(40),
        nice: 0,
    };
    let outcome = changes::measure(&extent).await;
    show(&outcome.rows());
    outcome.assert_clean();
    assert_eq!((outcome.accepted, outcome.cuts), (60, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_is_answered_by_every_proxy_of_a_larger_fleet() {
    let extent = saves::SavesExtent {
        proxies: 5,
        sizes: vec![4_000, 100_000],
        saves: 6,
    };
    let measured = saves::measure(&extent).await;
    show(&saves::rows(&extent, &measured));
    for size in measured {
        assert_eq!(size.times.len(), 6);
        let most = size.times.iter().max().copied();
        assert!(most < Some(Duration::from_secs(10)), "{size:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_document_is_served_and_control_reports_the_time_of_each_stage() {
    let extent = large::LargeExtent {
        hosts: 1_000,
        repeats: 1,
    };
    let outcome = large::measure(&extent).await;
    show(&outcome.rows(&extent));
    assert_eq!(outcome.stages.len(), 3);
    for stage in ["parse", "lower", "write"] {
        assert!(outcome.stages[0].contains(stage), "{:?}", outcome.stages);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_one_host_edit_and_a_return_cost_each_proxy_little_however_many_hosts_there_are() {
    let extent = edits::EditsExtent {
        hosts: 1_000,
        nodes: 3,
        edits: 2,
        repeats: 2,
    };
    let outcome = edits::measure(&extent).await;
    show(&outcome.rows(&extent));
    let most = |bytes: &[u64]| bytes.iter().max().copied().unwrap_or(u64::MAX);
    assert!(most(&outcome.edit_bytes) <= 4096, "{outcome:?}");
    assert!(most(&outcome.return_bytes) <= 1024, "{outcome:?}");
    assert_eq!(outcome.starts.len(), 2);
    let applies = (outcome.applies.len(), outcome.crowded.len());
    assert!(applies.0 >= 2 && applies.1 >= 6, "{outcome:?}");
}

#[test]
fn every_route_of_many_hosts_is_found() {
    let extent = lookup::LookupExtent {
        hosts: 2_000,
        lookups: 20_000,
    };
    let times = lookup::measure(&extent);
    show(&lookup::rows(&extent, &times));
    assert_eq!(times.len(), 20_000);
}

#[tokio::test]
async fn a_relay_cuts_a_connection_so_many_bytes_after_the_fault_was_set() {
    let origin = Origin::start("").await;
    origin.answer_with(ScriptedAnswer::ok(&"x".repeat(1000)));
    let relay = FaultProxy::tcp(origin.address()).await;
    let mut connection = raw::Connection::open(relay.address()).await.unwrap();
    let request = raw::Request::get("a.test", "/");
    for _ in 0..3 {
        connection.send(&request).await.unwrap();
    }
    let before = relay.counts().back();
    relay.set(Faults {
        cut_within: Some(500),
        ..Faults::default()
    });
    let cut = connection.send(&request).await.unwrap_err();
    assert!(cut.contains("cut short"), "{cut}");
    assert_eq!(relay.counts().back() - before, 500);
}
