//! Views of earlier revisions, rebuilt.

use aralez_proto::model::Endpoint;
use aralez_proto::snapshot::SharedSnapshot;
use aralez_proto::version::Version;

use super::*;
use crate::publisher::discovered::Reported;

/// Returns a store with two revisions, and the version of the first.
async fn two_revisions() -> (Disk, Version) {
    let disk = Disk::default();
    let publisher = disk.open();
    let first = publisher.commit(push(GOOD)).await.unwrap().version;
    let second = push(&GOOD.replace("0.1", "0.2"));
    publisher.commit(second).await.unwrap();
    (disk, first)
}

async fn recalled(publisher: &Publisher, version: Version) -> Option<SharedSnapshot> {
    publisher.recall(GroupName::default(), version).await
}

#[tokio::test]
async fn after_a_restart_an_earlier_revision_is_made_again_as_it_was() {
    let (disk, first) = two_revisions().await;
    let publisher = disk.open();
    for _ in 0..2 {
        let view = recalled(&publisher, first).await.unwrap();
        assert_eq!(view.version(), first);
    }
    assert_eq!(revision(&publisher), 2, "the head stays what it was");
}

#[tokio::test]
async fn it_has_the_endpoints_of_now() {
    let (disk, first) = two_revisions().await;
    let publisher = disk.open();
    let (source, taken) = Reported::channel();
    let pool = "a.example/".parse().unwrap();
    let found = vec![Endpoint::new("10.0.0.9:80".parse().unwrap())];
    source.put("a.example/".parse().unwrap(), found);
    drop(source);
    publisher.follow_discovered(taken).await;
    let view = recalled(&publisher, first).await.unwrap();
    let endpoints = view.resources().pools().endpoints(&pool).unwrap();
    let addresses = endpoints
        .iter()
        .map(|endpoint| endpoint.address.to_string());
    assert_eq!(
        addresses.collect::<Vec<_>>(),
        ["10.0.0.1:80", "10.0.0.9:80"]
    );
    assert!(view.version().order(&first).is_eq());
}

#[tokio::test]
async fn what_is_not_in_this_history_cannot_be_made_again() {
    let (disk, first) = two_revisions().await;
    let publisher = disk.open();
    let strangers = [
        Version {
            generation: first.generation + 1,
            ..first
        },
        Version {
            revision: 3,
            ..first
        },
    ];
    for stranger in strangers {
        assert!(recalled(&publisher, stranger).await.is_none(), "{stranger}");
    }
}

#[tokio::test]
async fn a_revision_of_the_generation_before_is_made_again_as_it_was() {
    let (disk, first) = two_revisions().await;
    let publisher = disk.open();
    let ahead = Version {
        generation: first.generation + 5,
        ..first
    };
    assert!(publisher.go_above(ahead).await);
    let view = recalled(&publisher, first).await.unwrap();
    assert_eq!(view.version(), first);
}

#[tokio::test]
async fn however_many_nodes_ask_at_once_a_revision_is_made_once_and_no_push_waits_for_it() {
    let (disk, first) = two_revisions().await;
    let publisher = disk.open();
    // Blocks rebuilds, as if the documents were very large.
    let making = publisher.earlier.hold().await;
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let publisher = publisher.clone();
            tokio::spawn(async move { recalled(&publisher, first).await.unwrap() })
        })
        .collect();
    tokio::task::yield_now().await;
    let push = push(&GOOD.replace("0.1", "0.3"));
    let pushed = tokio::time::timeout(Duration::from_secs(10), publisher.commit(push)).await;
    assert_eq!(pushed.unwrap().unwrap().version.revision, 3);
    drop(making);
    let mut views = Vec::new();
    for asked in asking {
        views.push(asked.await.unwrap());
    }
    assert!(views.iter().all(|view| Arc::ptr_eq(view, &views[0])));
}
