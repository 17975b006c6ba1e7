//! A proof shows what a node runs now, and nodes that cannot prove anything are named.

use std::path::Path;
use std::time::Duration;

use aralez_tests::document::{many, site};
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::ports::Port;
use aralez_tests::process::{self, Daemon, text};
use rustix::process::Signal;
use serde_json::Value;

fn copy_folder(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status();
    assert!(copied.unwrap().success());
}

async fn state_of(fleet: &Fleet, state: &str) {
    let is = || async {
        let nodes = fleet.ask("/v1/nodes").await?;
        same(&nodes["nodes"][0]["state"], &Value::from(state)).map_err(|_| nodes.to_string())
    };
    eventually(LIVE * 3, &format!("the node is {state}"), is).await;
}

#[tokio::test]
async fn a_push_is_not_proven_by_a_node_that_went_back_and_refuses_it_now() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    let first = fleet.until_current(LIVE).await;
    let persisted = || async {
        let nodes = fleet.ask("/v1/nodes").await?;
        same(
            &nodes["nodes"][0]["persisted"]["revision"],
            &Value::from(first),
        )
    };
    eventually(LIVE * 2, "the first revision is on the disk", persisted).await;
    let state = fleet.state().join("proxy-proxy-0");
    let copy = fleet.folder().join("copy");
    copy_folder(&state, &copy);

    let three = many(3, "2", origin.address());
    let file = fleet.folder().join("three.yaml");
    std::fs::write(&file, &three).unwrap();
    let file = file.display().to_string();
    let pushed = fleet.ctl(&["push", &file, "--wait", "--force"]).await;
    assert_eq!(pushed.status.code(), Some(0), "{}", text(&pushed));

    // The machine is restored to an older snapshot, and its proxy now accepts fewer hosts.
    fleet.kill_proxy(0);
    std::fs::remove_dir_all(&state).unwrap();
    copy_folder(&copy, &state);
    let config = fleet.folder().join("proxy-0.yaml");
    let lines = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{lines}max_hosts: 2\n")).unwrap();
    fleet.start_proxy(0).await;
    state_of(&fleet, "refusing").await;
    let again = fleet.ctl(&["push", &file, "--wait", "--force"]).await;
    assert_eq!(again.status.code(), Some(3), "{}", text(&again));
    assert!(text(&again).contains("proxy-0 refuses"), "{}", text(&again));
}

/// Starts another proxy with the name and the state of the first one.
fn start_copy(fleet: &Fleet) -> (Daemon, [Port; 2]) {
    let state = fleet.folder().join("another-state");
    std::fs::create_dir(&state).unwrap();
    copy_folder(&fleet.state().join("proxy-proxy-0"), &state);
    start_another(fleet)
}

/// Starts another proxy with the name of the first one.
fn start_another(fleet: &Fleet) -> (Daemon, [Port; 2]) {
    start_another_named(fleet, "proxy-0")
}

fn start_another_named(fleet: &Fleet, name: &str) -> (Daemon, [Port; 2]) {
    let state = fleet.folder().join("another-state");
    let ports = [Port::free(), Port::free()];
    let config = std::fs::read_to_string(fleet.folder().join("proxy-0.yaml")).unwrap();
    let config = config
        .replace(&fleet.http(0).to_string(), &ports[0].address().to_string())
        .replace(&fleet.admin(0).to_string(), &ports[1].address().to_string())
        .replace(
            &fleet.state().display().to_string(),
            &state.display().to_string(),
        )
        .replace("node_id: proxy-0", &format!("node_id: {name}"));
    let file = fleet.folder().join("copy.yaml");
    std::fs::write(&file, config).unwrap();
    let log = fleet.folder().join("copy.log");
    let arguments = ["-c", file.to_str().unwrap()];
    (Daemon::start("aralez-proxy", &arguments, &log), ports)
}

#[tokio::test]
async fn two_proxies_with_one_name_are_shown_and_prove_nothing() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    fleet.kill_proxy(0);
    let (copy, _ports) = start_copy(&fleet);
    state_of(&fleet, "current").await;
    fleet.launch_proxy(0);
    state_of(&fleet, "duplicate").await;

    let file = fleet.folder().join("next.yaml");
    std::fs::write(&file, site("b.test", &[origin.address()])).unwrap();
    let file = file.display().to_string();
    let pushed = fleet
        .ctl(&["push", &file, "--wait", "--force", "--timeout", "5s"])
        .await;
    assert_eq!(pushed.status.code(), Some(4), "{}", text(&pushed));
    assert!(text(&pushed).contains("node_id"), "{}", text(&pushed));
    let nodes = fleet.ctl(&["nodes"]).await;
    assert!(
        text(&nodes).contains("another running proxy"),
        "{}",
        text(&nodes)
    );
    drop(copy);
}

/// Two machines were set up with the same `node_id`. The second takes over the stream of the first, which continues to serve its
/// configuration.
#[tokio::test]
async fn a_proxy_that_takes_the_name_of_a_running_one_proves_nothing_from_the_first_moment() {
    let origin = Origin::start("a").await;
    let fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    // Stopped, so that it cannot reconnect and claim its name.
    fleet.proxies[0].as_ref().unwrap().signal(Signal::STOP);
    let (another, _ports) = start_another(&fleet);
    state_of(&fleet, "duplicate").await;
    let file = fleet.folder().join("next.yaml");
    std::fs::write(&file, site("b.test", &[origin.address()])).unwrap();
    let file = file.display().to_string();
    let pushed = fleet
        .ctl(&["push", &file, "--wait", "--force", "--timeout", "3s"])
        .await;
    assert_eq!(pushed.status.code(), Some(4), "{}", text(&pushed));
    assert!(text(&pushed).contains("node_id"), "{}", text(&pushed));
    drop(another);
}

#[tokio::test]
async fn a_proxy_of_another_cluster_is_listed_with_the_reason() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    // Control starts with empty state and another identity, as after the loss of its state.
    fleet.kill_control();
    std::fs::remove_dir_all(fleet.state().join("control")).unwrap();
    fleet.start_control().await;
    let listed = || async {
        let nodes = fleet.ask("/v1/nodes").await?;
        same(&nodes["turned_away"][0]["state"], &Value::from("foreign"))
            .map_err(|_| nodes.to_string())
    };
    eventually(Duration::from_secs(60), "it is listed as foreign", listed).await;
    let status = fleet.ctl(&["status"]).await;
    assert!(
        text(&status).contains("1 node was turned away"),
        "{}",
        text(&status)
    );
    let file = fleet.folder().join("next.yaml");
    std::fs::write(&file, site("b.test", &[origin.address()])).unwrap();
    let file = file.display().to_string();
    let pushed = fleet
        .ctl(&["push", &file, "--wait", "--timeout", "2s"])
        .await;
    assert_eq!(pushed.status.code(), Some(4), "{}", text(&pushed));
    assert!(
        text(&pushed).contains("proxy-0 was turned away (foreign"),
        "{}",
        text(&pushed)
    );
    // A node that proves the push does not hide the node that was turned away.
    let (other, _ports) = start_another_named(&fleet, "proxy-9");
    state_of(&fleet, "current").await;
    let pushed = fleet
        .ctl(&["-o", "json", "push", &file, "--wait", "--force"])
        .await;
    assert_eq!(pushed.status.code(), Some(0), "{}", text(&pushed));
    let said = String::from_utf8_lossy(&pushed.stderr);
    assert!(said.contains("proxy-0 was turned away (foreign"), "{said}");
    let json: Value = serde_json::from_slice(&pushed.stdout).unwrap();
    assert_eq!(json["turned_away"][0]["node"], "proxy-0", "{json}");
    drop(other);
}

/// Control's state is lost for good, including its identity. Proxies are reconfigured to accept the new identity, and serve their
/// configuration until then.
#[tokio::test]
async fn a_proxy_that_accepts_another_cluster_serves_what_it_has_and_follows_that_one() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let mut fleet = Plan::new(1)
        .document(&site("a.test", &[a.address()]))
        .start()
        .await;
    let revision = fleet.until_current(LIVE).await;
    let kept = || async {
        let nodes = fleet.ask("/v1/nodes").await?;
        same(
            &nodes["nodes"][0]["persisted"]["revision"],
            &Value::from(revision),
        )
    };
    eventually(LIVE * 2, "the snapshot is on the disk", kept).await;
    fleet.kill_control();
    std::fs::remove_dir_all(fleet.state().join("control")).unwrap();
    fleet.save(&site("b.test", &[b.address()]));
    fleet.start_control().await;
    let status = fleet.ask("/v1/status").await.unwrap();
    let cluster = status["cluster"].as_str().unwrap().to_owned();
    fleet.kill_control();

    let config = fleet.folder().join("proxy-0.yaml").display().to_string();
    let accept = ["-c", &config, "--accept-cluster", &cluster];
    let running = process::run(LIVE, "aralez-proxy", &accept).await;
    assert_eq!(running.status.code(), Some(1), "{}", text(&running));
    assert!(text(&running).contains("in use"), "{}", text(&running));
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    proxy.end(LIVE * 2).await.unwrap();
    let accepted = process::run(LIVE, "aralez-proxy", &accept).await;
    assert_eq!(accepted.status.code(), Some(0), "{}", text(&accepted));

    fleet.start_proxy(0).await;
    fleet.until_serving(LIVE, "a.test", "a").await;
    fleet.start_control().await;
    fleet.until_serving(LIVE * 3, "b.test", "b").await;
    fleet.until_current(LIVE).await;
}
