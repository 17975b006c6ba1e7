//! A proxy without control: with nothing to serve it answers 503 and reports the reason, with a damaged cache it serves the previous
//! version.

use std::path::PathBuf;

use aralez_tests::document::{site, versioned};
use aralez_tests::eventually::{eventually, same};
use aralez_tests::files::files_below;
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw;

/// F-13: control is down and there is no cache.
#[tokio::test]
async fn a_proxy_with_neither_cache_nor_control_answers_503_and_says_why() {
    let a = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .lay_out();
    fleet.start_proxy(0).await;
    let response = eventually(LIVE, "the port is bound", || fleet.get(0, "a.test", "/")).await;
    assert_eq!(response.status, 503);
    let after = response
        .header("retry-after")
        .and_then(|value| value.parse::<u32>().ok());
    assert!(after.is_some_and(|seconds| seconds > 0), "{response:?}");
    let ready = raw::get(fleet.admin(0), "admin", "/readyz").await.unwrap();
    assert_eq!(ready.status, 503);
    let answer = ready.json();
    assert_eq!(answer["ready"], false);
    assert!(
        answer["reason"]
            .as_str()
            .is_some_and(|reason| !reason.is_empty()),
        "{answer}"
    );
    println!("not ready: {answer}");
    assert_eq!(fleet.version(0).await.unwrap()["origin"], "none");

    fleet.start_control().await;
    fleet.until_serving(LIVE * 2, "a.test", "a").await;
    fleet.until_ready(0).await;
}

#[tokio::test]
async fn control_without_a_document_is_an_empty_configuration_until_one_appears() {
    let a = Origin::start("a").await;
    let fleet = Fleet::start(1).await;
    eventually(LIVE, "the warning", || async {
        let status = fleet.document_faults().await?.join("\n");
        if status.contains("upstreams.yaml") {
            Ok(())
        } else {
            Err(status)
        }
    })
    .await;
    eventually(LIVE, "nothing is routed", || async {
        same(&fleet.get(0, "a.test", "/").await?.status, &404)
    })
    .await;
    fleet.save(&site("a.test", &[a.address()]));
    fleet.until_serving(LIVE, "a.test", "a").await;
}

/// Returns the files of a proxy's cache that contain snapshots, oldest first.
fn cached(fleet: &Fleet) -> Vec<PathBuf> {
    let folder = fleet.state().join("proxy-proxy-0");
    let mut files: Vec<_> = files_below(&folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "arz"))
        .collect();
    files.sort_by_key(|path| path.metadata().unwrap().modified().unwrap());
    files
}

async fn persisted(fleet: &Fleet, revision: u64) {
    eventually(LIVE * 2, "the version is safe on disk", || async {
        same(
            &fleet.node(0).await?.all["persisted"]["revision"].as_u64(),
            &Some(revision),
        )
    })
    .await;
}

/// F-11, end to end.
#[tokio::test]
async fn a_damaged_cache_file_is_set_aside_named_and_the_one_before_serves() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let mut fleet = Plan::new(1)
        .document(&versioned("a.test", "1.a", a.address()))
        .start()
        .await;
    let first = fleet.until_current(LIVE).await;
    persisted(&fleet, first).await;
    let second = fleet.apply(&versioned("a.test", "2.b", b.address())).await;
    persisted(&fleet, second).await;
    let files = cached(&fleet);
    assert!(files.len() >= 2, "{:?}", files_below(&fleet.state()));
    fleet.kill_control();
    fleet.kill_proxy(0);
    let newest = files.last().unwrap();
    let mut bytes = std::fs::read(newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(newest, bytes).unwrap();

    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    let version = fleet.version(0).await.unwrap();
    assert_eq!(
        (version["origin"].as_str(), version["revision"].as_u64()),
        (Some("cache"), Some(first))
    );
    assert!(!newest.exists(), "the damaged file is set aside");
    let name = newest.file_name().unwrap().to_str().unwrap();
    assert!(fleet.log("proxy-0").contains(name), "the log names it");

    fleet.start_control().await;
    assert_eq!(fleet.until_current(LIVE * 2).await, second);
    fleet.until_serving(LIVE, "a.test", "b").await;
    let node = fleet.node(0).await.unwrap();
    assert!(
        node.troubles.iter().any(|trouble| trouble.contains(name)),
        "{node:?}"
    );
}

/// F-11: without any good file the proxy is not ready.
#[tokio::test]
async fn a_proxy_whose_whole_cache_is_damaged_starts_as_if_it_had_none() {
    let a = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let head = fleet.until_current(LIVE).await;
    persisted(&fleet, head).await;
    fleet.kill_control();
    fleet.kill_proxy(0);
    for file in cached(&fleet) {
        std::fs::write(file, b"").unwrap();
    }
    fleet.start_proxy(0).await;
    assert_eq!(fleet.get(0, "a.test", "/").await.unwrap().status, 503);
    fleet.start_control().await;
    fleet.until_serving(LIVE * 2, "a.test", "a").await;
}

#[tokio::test]
async fn a_version_that_died_young_again_and_again_gives_way_until_an_operator_changes_it() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let mut fleet = Plan::new(1)
        .document(&versioned("a.test", "1.a", a.address()))
        .start()
        .await;
    let first = fleet.until_current(LIVE).await;
    persisted(&fleet, first).await;
    // Exit cleanly, so that no death counts against the first version.
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(rustix::process::Signal::TERM);
    proxy.end(LIVE).await.unwrap();
    fleet.start_proxy(0).await;
    let second = fleet.apply(&versioned("a.test", "2.b", b.address())).await;
    persisted(&fleet, second).await;
    // The cause of a SIGKILL is unknown, so it takes four deaths to make a version suspect.
    for _ in 0..4 {
        fleet.kill_proxy(0);
        fleet.start_proxy(0).await;
        let serving = || async { same(&fleet.get(0, "a.test", "/").await?.status, &200) };
        eventually(LIVE, "it serves from its cache", serving).await;
    }
    fleet.until_serving(LIVE, "a.test", "a").await;
    let node = eventually(LIVE, "control knows that it is suspect", || async {
        let node = fleet.node(0).await?;
        if node.faults.is_empty() {
            Err(format!("{node:?}"))
        } else {
            Ok(node)
        }
    })
    .await;
    assert!(node.faults[0].to_string().contains("suspect"), "{node:?}");
    assert_eq!(node.running, Some(first));
    let third = fleet.apply(&versioned("a.test", "3.b", b.address())).await;
    assert_eq!(third, second + 1);
    fleet.until_serving(LIVE, "a.test", "b").await;
}

#[tokio::test]
async fn a_proxy_that_is_killed_again_and_again_still_serves_what_it_has() {
    let a = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let head = fleet.until_current(LIVE).await;
    persisted(&fleet, head).await;
    fleet.kill_control();
    for round in 0..4 {
        fleet.kill_proxy(0);
        fleet.start_proxy(0).await;
        println!("round {round}: {}", fleet.version(0).await.unwrap());
        fleet.until_serving(LIVE, "a.test", "a").await;
    }
    fleet.start_control().await;
    fleet.until_serving(LIVE, "a.test", "a").await;
}
