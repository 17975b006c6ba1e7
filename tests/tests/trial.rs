//! Which endings of a proxy speak against its configuration, and which do not.

use aralez_tests::document::versioned;
use aralez_tests::eventually::{eventually, same};
use aralez_tests::fleet::{Fleet, LIVE, Plan};
use aralez_tests::origin::{Answer, Origin};
use aralez_tests::raw::{self, Connection, Request};
use rustix::process::Signal;
use std::time::Duration;

async fn persisted(fleet: &Fleet, revision: u64) {
    eventually(LIVE * 2, "the version is safe on disk", || async {
        same(
            &fleet.node(0).await?.all["persisted"]["revision"].as_u64(),
            &Some(revision),
        )
    })
    .await;
}

/// A fleet of one proxy whose cache holds two revisions, both applied, the second one running.
async fn two_revisions(a: &Origin, b: &Origin) -> (Fleet, u64) {
    let mut fleet = Plan::new(1)
        .document(&versioned("a.test", "1.a", a.address()))
        .start()
        .await;
    let first = fleet.is_current(LIVE).await;
    persisted(&fleet, first).await;
    let mut proxy = fleet.proxies[0].take().unwrap();
    proxy.signal(Signal::TERM);
    proxy.end(LIVE * 2).await.unwrap();
    fleet.start_proxy(0).await;
    let second = fleet.apply(&versioned("a.test", "2.b", b.address())).await;
    persisted(&fleet, second).await;
    (fleet, second)
}

/// A2: `docker restart` with one long request, twice: the drain takes longer than the runtime waits before it kills.
#[tokio::test]
async fn two_kills_in_the_middle_of_a_drain_do_not_cost_the_newer_configuration() {
    let (a, b) = (Origin::start("a").await, Origin::start("b").await);
    let (mut fleet, second) = two_revisions(&a, &b).await;
    for _ in 0..2 {
        fleet.serves(LIVE, "a.test", "b").await;
        b.answer_once(Answer::ok("late").after(Duration::from_secs(60)));
        let mut busy = Connection::open(fleet.http(0)).await.unwrap();
        let request = Request::get("a.test", "/slow").head();
        busy.write(&request).await.unwrap();
        let arrived = || async { same(&b.last().target(), &"/slow") };
        eventually(LIVE, "the slow request is under way", arrived).await;
        let mut proxy = fleet.proxies[0].take().unwrap();
        proxy.signal(Signal::TERM);
        eventually(LIVE, "the proxy drains", || async {
            let ready = raw::get(fleet.admin(0), "admin", "/readyz").await?;
            same(&ready.status, &503)
        })
        .await;
        proxy.kill();
        fleet.start_proxy(0).await;
    }
    fleet.serves(LIVE, "a.test", "b").await;
    assert_eq!(fleet.revision(0).await.unwrap(), second);
    assert_eq!(fleet.is_current(LIVE).await, second);
    let node = fleet.node(0).await.unwrap();
    assert!(node.faults.is_empty(), "{node:?}");
}
