//! Discovered endpoints across a restart.

use aralez_proto::model::{Endpoint, PoolName};

use super::*;
use crate::core::layers::Discovered;
use crate::publisher::discovered::Reported;

/// Longer than a test takes.
const NEVER: Duration = Duration::from_hours(1);

fn pool(name: &str) -> PoolName {
    name.parse().unwrap()
}

fn ninth() -> Endpoint {
    Endpoint::new("10.0.0.9:80".parse().unwrap())
}

fn kept(disk: &Disk) -> (Discovered, usize) {
    disk.0.lock().unwrap().checkpoint.clone()
}

fn endpoints(publisher: &Publisher) -> Vec<Endpoint> {
    let view = publisher.views().borrow().view(&GroupName::default());
    let endpoints = view.resources().pools().endpoints(&pool("a.example/"));
    endpoints.unwrap_or_default().to_vec()
}

/// Opens a publisher and reports this endpoint for a pool that it has and for one that it does not have.
async fn finds(publisher: &Publisher, endpoint: Endpoint) {
    let (source, taken) = Reported::channel();
    source.put(pool("a.example/"), vec![endpoint.clone()]);
    source.put(pool("gone.example/"), vec![endpoint]);
    drop(source);
    publisher.follow_discovered(taken).await;
}

/// Starts the checkpoint task. Returns its handle and its shutdown signal.
fn keep(
    disk: &Disk,
    publisher: &Publisher,
    every: Duration,
) -> (watch::Sender<bool>, tokio::task::JoinHandle<()>) {
    let (leave, leaving) = watch::channel(false);
    let (publisher, checkpoint) = (publisher.clone(), Box::new(disk.clone()));
    let begun = kept(disk).0;
    let keeps = tokio::spawn(async move {
        publisher
            .keep_discovered(checkpoint, begun, every, leaving)
            .await;
    });
    (leave, keeps)
}

#[tokio::test]
async fn a_restarted_control_begins_with_the_endpoints_that_sources_found_before() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(GOOD)).await.unwrap();
    let (leave, ends) = keep(&disk, &publisher, NEVER);
    finds(&publisher, ninth()).await;
    leave.send_replace(true);
    ends.await.unwrap();
    assert_eq!(kept(&disk).1, 1, "at the end");
    let found = kept(&disk).0;
    assert!(
        found.endpoints(&pool("gone.example/")).is_none(),
        "those of documents alone"
    );
    let before = root(&publisher);
    drop(publisher);

    let publisher = disk.open();
    assert!(endpoints(&publisher).contains(&ninth()));
    assert_eq!(root(&publisher), before);
    // The same finding again changes nothing, another one does.
    let mut views = publisher.views();
    views.mark_unchanged();
    finds(&publisher, ninth()).await;
    assert!(!views.has_changed().unwrap());
    let other = Endpoint::new("10.0.0.8:80".parse().unwrap());
    finds(&publisher, other.clone()).await;
    assert!(endpoints(&publisher).contains(&other) && !endpoints(&publisher).contains(&ninth()));
}

#[tokio::test(start_paused = true)]
async fn what_is_found_is_kept_while_control_runs_but_only_where_it_changed() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(GOOD)).await.unwrap();
    let (_leave, _ends) = keep(&disk, &publisher, Duration::from_millis(5));
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(kept(&disk).1, 0, "nothing was found");
    finds(&publisher, ninth()).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(kept(&disk).1, 1, "once, since nothing came after it");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_full_keeps_nothing_and_is_tried_again() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(GOOD)).await.unwrap();
    let (_leave, _ends) = keep(&disk, &publisher, Duration::from_millis(5));
    disk.fill(true);
    finds(&publisher, ninth()).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(kept(&disk).1, 0);
    disk.fill(false);
    let deadline = Instant::now() + Duration::from_secs(10);
    while kept(&disk).1 == 0 {
        assert!(Instant::now() < deadline, "it is never kept");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn while_nobody_knows_what_the_documents_are_everything_that_was_found_stays() {
    let disk = Disk::default();
    let publisher = disk.open();
    let (leave, ends) = keep(&disk, &publisher, NEVER);
    finds(&publisher, ninth()).await;
    leave.send_replace(true);
    ends.await.unwrap();
    assert_eq!(kept(&disk).0.pools().count(), 2);
}
