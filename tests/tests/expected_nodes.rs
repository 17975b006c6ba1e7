//! Control remembers over its restarts which nodes it expects, until an operator forgets them.

use std::time::Duration;

use aralez_tests::document::site;
use aralez_tests::eventually::{eventually, same, stays};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::process::text;
use rustix::process::Signal;
use serde_json::Value;

/// Timeout for nodes to return, and for control to give them up: a restarted control waits 30 s for the nodes that were connected before.
const RETURN: Duration = Duration::from_secs(60);

async fn two_nodes() -> (Fleet, Origin) {
    let origin = Origin::start("a").await;
    let fleet = Plan::new(2)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    (fleet, origin)
}

async fn restart_control(fleet: &mut Fleet) {
    let mut control = fleet.control.take().expect("control runs");
    control.signal(Signal::TERM);
    control.end(LIVE).await.expect("control ends");
    fleet.start_control().await;
}

/// Returns the name and the state of each node in the answer to a push.
fn states(push: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let nodes = push["nodes"].as_array().cloned().unwrap_or_default();
    nodes
        .iter()
        .map(|node| (text(&node["node"]), text(&node["state"])))
        .collect()
}

async fn is_at(
    fleet: &Fleet,
    revision: u64,
    outcome: &str,
    nodes: [&str; 2],
) -> Result<(), String> {
    let push = fleet.ask(&format!("/v1/pushes/{revision}")).await?;
    let expected = [("proxy-0", nodes[0]), ("proxy-1", nodes[1])];
    let expected = expected.map(|(node, state)| (node.to_owned(), state.to_owned()));
    let is = push["outcome"] == outcome && states(&push) == expected;
    is.then_some(()).ok_or_else(|| push.to_string())
}

#[tokio::test]
async fn after_a_restart_of_control_a_push_is_not_proven_before_every_node_was_seen() {
    let (mut fleet, origin) = two_nodes().await;
    fleet.proxies[1].as_ref().unwrap().signal(Signal::STOP);
    fleet.save(&site("b.test", &[origin.address()]));
    let pending = || is_at(&fleet, 2, "pending", ["applied", "pending"]);
    eventually(LIVE, "only one node runs it", pending).await;

    restart_control(&mut fleet).await;
    let listed = fleet.nodes().await.unwrap();
    let names: Vec<_> = listed.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["proxy-0", "proxy-1"], "{listed:?}");
    let back = || is_at(&fleet, 2, "pending", ["applied", "pending"]);
    eventually(RETURN, "the other node is back", back).await;
    let shown = fleet.ctl(&["nodes"]).await;
    assert!(
        text(&shown).contains("proxy-1  default  lost"),
        "{}",
        text(&shown)
    );
    stays(Duration::from_secs(2), "it is waited for", || async {
        let push = fleet.ask("/v1/pushes/2").await?;
        same(&(push["outcome"] == "proven"), &false)
    })
    .await;
    let lost = || is_at(&fleet, 2, "unproven", ["applied", "lost"]);
    eventually(RETURN, "it is waited for half a minute", lost).await;

    fleet.proxies[1].as_ref().unwrap().signal(Signal::CONT);
    let proven = || is_at(&fleet, 2, "proven", ["applied", "applied"]);
    eventually(RETURN, "it runs it", proven).await;
    fleet.kill_control();
    fleet.start_control().await;
    assert_eq!(fleet.nodes().await.unwrap().len(), 2, "also after SIGKILL");
}

#[tokio::test]
async fn a_node_that_does_not_come_back_is_awaited_with_all_until_it_is_forgotten() {
    let (mut fleet, origin) = two_nodes().await;
    fleet.kill_proxy(1);
    let gone = || async { same(&fleet.node(1).await?.connected, &false) };
    eventually(LIVE, "the node is gone", gone).await;
    let file = fleet.folder().join("b.yaml");
    std::fs::write(&file, site("b.test", &[origin.address()])).unwrap();
    let file = file.display().to_string();
    let waits = ["push", &file, "--wait", "--force"];
    let all = ["push", &file, "--wait", "--all", "--timeout", "3s"];

    let output = fleet.ctl(&waits).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("proxy-1: away"), "{}", text(&output));
    let output = fleet.ctl(&all).await;
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(
        text(&output).contains("node proxy-1 is away"),
        "{}",
        text(&output)
    );

    let output = fleet.ctl(&["node", "forget", "proxy-0"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("is connected"), "{}", text(&output));
    let output = fleet.ctl(&["node", "forget", "proxy-7"]).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let output = fleet.ctl(&["node", "forget", "proxy-1"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(fleet.node(1).await.is_err(), "it is not listed");
    let output = fleet.ctl(&all).await;
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    restart_control(&mut fleet).await;
    assert_eq!(fleet.nodes().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_node_that_applied_a_push_and_died_does_not_prove_it() {
    let origin = Origin::start("a").await;
    let document = site("a.test", &[origin.address()]);
    let mut fleet = Plan::new(1).document(&document).start().await;
    fleet.until_current(LIVE).await;
    fleet.kill_proxy(0);
    let gone = || async { same(&fleet.node(0).await?.connected, &false) };
    eventually(LIVE, "the node is gone", gone).await;
    let file = fleet.folder().join("same.yaml");
    std::fs::write(&file, &document).unwrap();
    let file = file.display().to_string();
    let output = fleet.ctl(&["push", &file, "--wait"]).await;
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(
        text(&output).contains("no node is connected"),
        "{}",
        text(&output)
    );
}

#[tokio::test]
async fn who_asks_for_a_push_with_a_wait_is_answered_when_there_is_news() {
    let origin = Origin::start("a").await;
    let fleet = Plan::new(1)
        .relayed(0)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    let relay = fleet.relays[0].as_ref().unwrap();
    relay.stall();
    fleet.save(&site("b.test", &[origin.address()]));
    let pending = || async {
        let push = fleet.ask("/v1/pushes/2").await?;
        same(&push["outcome"], &Value::from("pending"))
    };
    eventually(LIVE, "the push is pending", pending).await;
    let short = fleet
        .ask("/v1/pushes/2?wait_ms=300&nodes=open")
        .await
        .unwrap();
    assert_eq!(
        states(&short),
        [("proxy-0".to_owned(), "pending".to_owned())]
    );
    let began = tokio::time::Instant::now();
    let (answer, ()) = tokio::join!(fleet.ask("/v1/pushes/2?wait_ms=20000&nodes=open"), async {
        relay.heal();
    });
    let answer = answer.unwrap();
    assert_eq!(answer["outcome"], "proven", "{answer}");
    assert_eq!(answer["counts"]["applied"], 1, "{answer}");
    assert_eq!(states(&answer), [], "only open nodes are listed");
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
}
