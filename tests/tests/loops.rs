//! A request that returns to a node it has passed is answered immediately; a request that passes several nodes of a fleet is served.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::Origin;
use aralez_tests::raw::{self, Request};

/// Returns a document whose host forwards requests to an address, as requests for another host.
fn sends_on(host: &str, to: SocketAddr, as_host: &str) -> String {
    format!(
        "{host}:\n  paths:\n    \"/\":\n      server_headers:\n        set: {{ Host: {as_host} }}\n      servers: [\"{to}\"]\n"
    )
}

/// Returns the value of a counter of a proxy.
async fn counter(fleet: &Fleet, proxy: usize, line: &str) -> u64 {
    let page = raw::get(fleet.admin(proxy), "localhost", "/metrics").await;
    let page = page.expect("the metrics are there").text();
    let value = page.lines().find_map(|found| found.strip_prefix(line));
    value.map_or(0, |value| value.trim().parse().expect("it is a number"))
}

async fn requests(fleet: &Fleet, proxy: usize) -> u64 {
    counter(fleet, proxy, "aralez_requests_total ").await
}

#[tokio::test]
async fn a_route_to_the_proxy_itself_answers_508_after_one_round() {
    let fleet = Plan::new(1)
        .proxy(0, "max_connections_per_address: 0")
        .start()
        .await;
    let own = fleet.http(0);
    fleet.apply(&sends_on("a.test", own, "a.test")).await;

    let before = requests(&fleet, 0).await;
    let started = Instant::now();
    let response = fleet.get(0, "a.test", "/").await.unwrap();
    assert_eq!(response.status, 508);
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(requests(&fleet, 0).await - before, 2);
    let loops = counter(&fleet, 0, "aralez_refusals_total{reason=\"loop\"} ").await;
    assert_eq!(loops, 1);
}

#[tokio::test]
async fn a_loop_is_found_also_where_the_operator_removes_via() {
    let fleet = Plan::new(1).start().await;
    let own = fleet.http(0);
    fleet
        .apply(&format!(
            "server_headers:\n  remove: [Via]\na.test:\n  paths:\n    \"/\":\n      servers: [\"{own}\"]\n"
        ))
        .await;
    let before = requests(&fleet, 0).await;
    let response = fleet.get(0, "a.test", "/").await.unwrap();
    assert_eq!(response.status, 508);
    assert_eq!(requests(&fleet, 0).await - before, 2);
}

#[tokio::test]
async fn two_tiers_of_a_fleet_are_no_loop_and_the_way_back_is_one() {
    let origin = Origin::start("inner").await;
    let fleet = Plan::new(2).start().await;
    let (edge, inner) = (fleet.http(0), fleet.http(1));
    let document = [
        sends_on("edge.test", inner, "inner.test"),
        sends_on("inner.test", origin.address(), "origin.test"),
        sends_on("there.test", inner, "back.test"),
        sends_on("back.test", edge, "there.test"),
    ];
    fleet.apply(&document.concat()).await;
    fleet.until_current(LIVE).await;

    let response = fleet.get(0, "edge.test", "/x").await.unwrap();
    assert_eq!((response.status, response.text().as_str()), (200, "inner"));
    let seen = origin.last();
    let ways: Vec<_> = seen.headers("via");
    let nodes: Vec<_> = seen.headers("cdn-loop");
    assert_eq!((ways.len(), nodes.len()), (2, 2));
    assert_ne!(nodes[0], nodes[1], "each node has a pseudonym of its own");
    for (way, node) in ways.iter().zip(&nodes) {
        assert_eq!(*way, format!("1.1 {node}"));
    }

    let before = (requests(&fleet, 0).await, requests(&fleet, 1).await);
    let response = fleet.get(0, "there.test", "/").await.unwrap();
    assert_eq!(response.status, 508);
    let after = (requests(&fleet, 0).await, requests(&fleet, 1).await);
    assert_eq!((after.0 - before.0, after.1 - before.1), (2, 1));
}

#[tokio::test]
async fn a_node_keeps_its_pseudonym_over_a_restart_and_tells_nothing_of_its_machine() {
    let origin = Origin::start("a").await;
    let mut fleet = Plan::new(1)
        .document(&aralez_tests::document::site("a.test", &[origin.address()]))
        .start()
        .await;
    fleet.until_current(LIVE).await;
    let mut said = Vec::new();
    for _ in 0..2 {
        let request = Request::get("a.test", "/").header("CDN-Loop", "other; v=1");
        let response = raw::send(fleet.http(0), &request).await.unwrap();
        assert_eq!(response.status, 200);
        let seen = origin.last();
        let nodes = seen.headers("cdn-loop");
        assert_eq!(nodes[0], "other; v=1");
        said.push(nodes[1].to_owned());
        fleet.kill_proxy(0);
        fleet.start_proxy(0).await;
        fleet.until_current(LIVE).await;
    }
    assert_eq!(said[0], said[1]);
    let digits = said[0].strip_prefix("aralez-").expect("it is a pseudonym");
    assert!(digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
}
