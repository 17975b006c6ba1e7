//! A refused configuration changes nothing, and is reported with its place: by control for a document, by a proxy for a snapshot.

use std::time::Duration;

use aralez_tests::document::{servers, site};
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{Fleet, LIVE, Node, Plan};
use aralez_tests::origin::Origin;

async fn status_names(fleet: &Fleet, places: &[&str]) {
    eventually(LIVE, "the status names every fault", || async {
        let status = fleet.document_faults().await?.join("\n");
        match places.iter().find(|place| !status.contains(**place)) {
            Some(place) => Err(format!("{place} is not in {status}")),
            None => Ok(()),
        }
    })
    .await;
}

async fn status_is_clean(fleet: &Fleet, place: &str) {
    eventually(LIVE, "the fault is gone from the status", || async {
        let status = fleet.document_faults().await?.join("\n");
        if status.contains(place) {
            Err(status)
        } else {
            Ok(())
        }
    })
    .await;
}

#[tokio::test]
async fn a_faulty_file_is_named_fault_by_fault_and_touches_nothing() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let good = site("a.test", &[a.address()]);
    let fleet = Plan::new(2).document(&good).start().await;
    let head = fleet.until_current(LIVE).await;
    let faulty = "to_htps: true\na.test:\n  paths:\n    \"/\":\n      servers:\n        - \"127.0.0.1\"\n        - \"127.0.0.1:70000\"\n";
    fleet.save(faulty);
    fleet.save_part(
        "more.yaml",
        "b.test:\n  paths:\n    \"/\":\n      rate_limit: [1]\n      servers: 7\n",
    );
    let places = [
        "upstreams.yaml:1:1",
        "to_https",
        "upstreams.yaml:6:",
        "upstreams.yaml:7:",
        "conf.d/more.yaml:5:",
    ];
    status_names(&fleet, &places).await;
    stays(
        Duration::from_millis(700),
        "traffic and version are untouched",
        || async {
            same(&fleet.head().await?, &head)?;
            for proxy in 0..2 {
                same(&fleet.revision(proxy).await?, &head)?;
                same(
                    &fleet.get(proxy, "a.test", "/").await?.text().as_str(),
                    &"a",
                )?;
            }
            Ok(())
        },
    )
    .await;
    fleet.save_part("more.yaml", "{}\n");
    fleet.save(&site("a.test", &[b.address()]));
    let took = fleet.until_serving(LIVE, "a.test", "b").await;
    println!("the next good save: live after {took:?}");
    assert_eq!(fleet.follows(head).await, head + 1);
    status_is_clean(&fleet, "upstreams.yaml:6:").await;
}

#[tokio::test]
async fn one_faulty_part_refuses_the_whole_set() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let head = fleet.until_current(LIVE).await;
    fleet.save_part("10-good.yaml", &site("good.test", &[a.address()]));
    let good = fleet.follows(head).await;
    fleet.save_part("20-bad.yaml", &site("good.test", &[a.address()]));
    status_names(&fleet, &["10-good.yaml:1:", "20-bad.yaml:1:"]).await;
    assert_eq!(fleet.head().await.unwrap(), good);
    fleet.until_serving(LIVE, "good.test", "a").await;
}

/// Returns a document of two hosts whose second is large, so that a second transmission is unmistakable.
fn two_hosts(origin: &Origin) -> String {
    let mut text = site("a.test", &[origin.address()]);
    text.push_str("big.test:\n  paths:\n    \"/\":\n");
    text.push_str(&servers(&[origin.address()]));
    for path in 0..1_000 {
        text.push_str(&format!(
            "    \"/path-{path}\":\n{}",
            servers(&[origin.address()])
        ));
    }
    text
}

async fn refused(fleet: &Fleet, proxy: usize) -> Node {
    eventually(LIVE, "the refusal is shown", || async move {
        let node = fleet.node(proxy).await?;
        if node.faults.is_empty() {
            Err(format!("{node:?}"))
        } else {
            Ok(node)
        }
    })
    .await
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_is_not_asked_again_and_holds_nobody_up() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(2)
        .proxy(0, "max_hosts: 1")
        .relayed(0)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let head = fleet.until_current(LIVE).await;
    let relay = fleet.relays[0].as_ref().unwrap();
    relay.counts().forget();
    fleet.save(&two_hosts(&a));
    let node = refused(&fleet, 0).await;
    let fault = node.faults[0].to_string();
    println!("the fault: {fault}");
    for part in ["big.test", "max_hosts", "at most 1"] {
        assert!(fault.contains(part), "{part} is not in {fault}");
    }
    assert_eq!(node.running, Some(head), "what it runs is what it ran");
    let other = || async { same(&fleet.node(1).await?.running, &Some(head + 1)) };
    eventually(LIVE, "the other moves on", other).await;
    assert_eq!(fleet.get(1, "big.test", "/").await.unwrap().text(), "a");
    assert_eq!(fleet.get(0, "a.test", "/").await.unwrap().text(), "a");
    assert_eq!(fleet.get(0, "big.test", "/").await.unwrap().status, 404);

    let sent = relay.counts().back();
    let before = relay.counts().connections();
    relay.sever();
    let again = || async {
        same(
            &(relay.counts().connections() > before && fleet.node(0).await?.connected),
            &true,
        )
    };
    eventually(LIVE, "it is back", again).await;
    stays(
        Duration::from_millis(1_500),
        "it is not sent again",
        || async {
            let more = relay.counts().back() - sent;
            if more < 4_096 {
                Ok(())
            } else {
                Err(format!("{more} bytes after the refusal, {sent} before"))
            }
        },
    )
    .await;
    println!(
        "{sent} bytes for the update, {} after it and a reconnect",
        relay.counts().back() - sent
    );
    let node = refused(&fleet, 0).await;
    assert_eq!(node.running, Some(head));

    fleet.save(&site("b.test", &[a.address()]));
    fleet.follows(head + 1).await;
    let node = fleet.node(0).await.unwrap();
    assert!(node.faults.is_empty(), "the refusal is over: {node:?}");
    fleet.until_serving(LIVE, "b.test", "a").await;
}

/// A node that was turned away reconnects within half a minute.
const BACK: Duration = Duration::from_secs(40);

#[tokio::test]
async fn a_proxy_that_refuses_the_newest_goes_on_getting_endpoints_after_a_restart_of_control() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let mut fleet = Plan::new(1)
        .scripted()
        .proxy(0, "max_hosts: 1")
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let head = fleet.until_current(LIVE).await;
    fleet.save(&two_hosts(&a));
    refused(&fleet, 0).await;
    fleet.kill_control();
    fleet.start_control().await;
    let knows = || async { same(&fleet.node(0).await?.faults.is_empty(), &false) };
    eventually(BACK, "control knows of the refusal again", knows).await;

    // The document is refused as a whole; endpoints that a source finds still arrive.
    fleet.script(&format!("a.test/ {}\n", b.address()));
    fleet.until_serving(BACK, "a.test", "b").await;
    refused(&fleet, 0).await;
    assert_eq!(fleet.revision(0).await.unwrap(), head);
    assert_eq!(fleet.get(0, "big.test", "/").await.unwrap().status, 404);
}

#[tokio::test]
async fn a_push_that_waits_for_a_refusal_says_who_and_why_and_exits_3() {
    let a = Origin::start("a").await;
    let fleet = Plan::new(2)
        .proxy(1, "max_hosts: 1")
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    let file = fleet.folder().join("two.yaml");
    std::fs::write(&file, two_hosts(&a)).unwrap();
    let output = fleet
        .ctl(&["push", file.to_str().unwrap(), "--wait", "--timeout", "20s"])
        .await;
    let text = aralez_tests::process::text(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    for part in ["proxy-1", "big.test", "max_hosts"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    std::fs::write(&file, site("b.test", &[a.address()])).unwrap();
    let output = fleet.ctl(&["push", file.to_str().unwrap(), "--wait"]).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        aralez_tests::process::text(&output)
    );
    fleet.until_serving(LIVE, "b.test", "a").await;
}
