//! Discovered endpoints, from the reports of sources to the views.

use aralez_proto::model::Endpoint;

use super::*;
use crate::publisher::discovered::Reported;

fn found(source: &Reported, addresses: &[&str]) {
    let endpoint = |address: &&str| Endpoint::new(address.parse().unwrap());
    let endpoints = addresses.iter().map(endpoint).collect();
    source.put("a.example/".parse().unwrap(), endpoints);
}

fn endpoints(publisher: &Publisher) -> Vec<String> {
    let view = publisher.views().borrow().view(&GroupName::default());
    let pool = "a.example/".parse().unwrap();
    let endpoints = view.resources().pools().endpoints(&pool);
    let addresses = endpoints
        .unwrap_or_default()
        .iter()
        .map(|endpoint| endpoint.address.to_string());
    addresses.collect()
}

async fn published(views: &mut watch::Receiver<Arc<Views>>) {
    let changed = tokio::time::timeout(Duration::from_secs(10), views.changed());
    changed.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_sources_find_reaches_the_views_without_a_revision_and_stays_over_commits() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(GOOD)).await.unwrap();
    let (source, taken) = Reported::channel();
    let follower = publisher.clone();
    let follows = tokio::spawn(async move { follower.follow_discovered(taken).await });
    let mut views = publisher.views();
    views.mark_unchanged();
    found(&source, &["10.0.0.8:80"]);
    found(&source, &["10.0.0.8:80", "10.0.0.9:80"]);
    published(&mut views).await;
    assert_eq!(
        endpoints(&publisher),
        ["10.0.0.1:80", "10.0.0.8:80", "10.0.0.9:80"]
    );
    let version = publisher.views().borrow().version();
    assert_eq!((version.revision, version.sequence), (1, 1));
    assert_eq!(
        publisher.head().unwrap().revision,
        1,
        "the ledger has no part in it"
    );

    found(&source, &["10.0.0.9:80"]);
    published(&mut views).await;
    assert_eq!(endpoints(&publisher), ["10.0.0.1:80", "10.0.0.9:80"]);
    publisher
        .commit(push(&GOOD.replace("0.1", "0.2")))
        .await
        .unwrap();
    assert_eq!(endpoints(&publisher), ["10.0.0.2:80", "10.0.0.9:80"]);
    drop(source);
    follows.await.unwrap();
    assert_eq!(endpoints(&publisher), ["10.0.0.2:80", "10.0.0.9:80"]);
}

fn other(source: &Reported, endpoint: Endpoint) {
    source.put("b.example/".parse().unwrap(), vec![endpoint]);
}

const BOTH: &str = "a.example: {paths: {/: {servers: ['10.0.0.1:80']}}}
b.example: {paths: {/: {servers: ['10.0.0.2:80']}}}
";

#[tokio::test]
async fn a_pool_at_fault_keeps_what_it_has_and_holds_up_neither_other_pools_nor_commits() {
    let publisher = Disk::default().open();
    // Before the first commit as well as after it.
    for text in ["", BOTH] {
        if !text.is_empty() {
            publisher.commit(push(text)).await.unwrap();
        }
        let (source, taken) = Reported::channel();
        let mut faulty = Endpoint::new("10.0.0.7:80".parse().unwrap());
        faulty.weight = 0;
        other(&source, faulty);
        found(&source, &["10.0.0.8:80"]);
        drop(source);
        publisher.follow_discovered(taken).await;
    }
    assert_eq!(endpoints(&publisher), ["10.0.0.1:80", "10.0.0.8:80"]);
    publisher
        .commit(push(&BOTH.replace("0.1", "0.3")))
        .await
        .unwrap();
    assert_eq!(endpoints(&publisher), ["10.0.0.3:80", "10.0.0.8:80"]);
}

#[tokio::test]
async fn a_pool_that_was_at_fault_is_taken_as_soon_as_it_is_right() {
    let publisher = Disk::default().open();
    publisher.commit(push(BOTH)).await.unwrap();
    let (source, taken) = Reported::channel();
    let follower = publisher.clone();
    let follows = tokio::spawn(async move { follower.follow_discovered(taken).await });
    let mut views = publisher.views();
    views.mark_unchanged();
    let mut endpoint = Endpoint::new("10.0.0.7:80".parse().unwrap());
    endpoint.weight = 0;
    other(&source, endpoint.clone());
    found(&source, &["10.0.0.8:80"]);
    published(&mut views).await;
    endpoint.weight = 1;
    other(&source, endpoint.clone());
    published(&mut views).await;
    let view = publisher.views().borrow().view(&GroupName::default());
    let pool = "b.example/".parse().unwrap();
    let endpoints = view.resources().pools().endpoints(&pool).unwrap();
    assert!(endpoints.contains(&endpoint), "{endpoints:?}");
    drop(source);
    follows.await.unwrap();
}

#[tokio::test]
async fn what_was_found_before_the_first_commit_is_in_it() {
    let publisher = Disk::default().open();
    let (source, taken) = Reported::channel();
    found(&source, &["10.0.0.9:80"]);
    drop(source);
    publisher.follow_discovered(taken).await;
    assert_eq!(revision(&publisher), 0);
    publisher.commit(push(GOOD)).await.unwrap();
    assert_eq!(endpoints(&publisher), ["10.0.0.1:80", "10.0.0.9:80"]);
}
