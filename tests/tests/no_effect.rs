//! An attacker and a victim share one pool of connections: whatever the attacker does, the victim receives each answer, and only its own.

use aralez_tests::document::site;
use aralez_tests::eventually::eventually;
use aralez_tests::fleet::{LIVE, Plan};
use aralez_tests::proof::proves;
use aralez_tests::tricks::endpoint::TrickEndpoint;
use aralez_tests::tricks::play::{self, play};
use aralez_tests::tricks::{HOST, list};

/// Victim requests under each trick.
const REQUESTS: u64 = 10_000;

async fn no_trick_reaches_a_victim(threads: usize) {
    let endpoint = TrickEndpoint::start().await;
    let plan = Plan::new(1)
        .threads(0, threads)
        .document(&site(HOST, &[endpoint.address()]));
    let fleet = plan.start().await;
    fleet.until_current(LIVE).await;
    let serves = || async {
        let response = fleet.get(0, HOST, "/v/0").await?;
        aralez_tests::eventually::same(&response.status, &200)
    };
    eventually(LIVE, "the pool is served", serves).await;
    let requests = if proves() { REQUESTS * 5 } else { REQUESTS };
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for trick in list::all() {
        let outcome = play(fleet.http(0), &endpoint, &trick, requests).await;
        lines.push(outcome.line());
        problems.extend(outcome.problems());
    }
    println!("threads: {threads}\n{}\n{}", play::HEAD, lines.join("\n"));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trick_of_an_attacker_reaches_a_victim_with_one_thread() {
    no_trick_reaches_a_victim(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trick_of_an_attacker_reaches_a_victim_with_two_threads() {
    no_trick_reaches_a_victim(2).await;
}
