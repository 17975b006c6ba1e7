//! A store that is ahead of the writer: another writer, a commit with an unknown outcome, a generation below that of nodes.

use aralez_proto::version::Version;

use super::*;
use crate::core::authored_roots::AuthoredRoots;
use crate::core::store::{NewRevision, Store};

fn commit_elsewhere(disk: &Disk, parent: u64, text: &str) {
    let documents = main_only(text);
    let new = NewRevision {
        parent,
        unix_ms: 0,
        origin: &CommitOrigin::Other("another".into()),
        message: "",
        documents: &documents,
        roots: &AuthoredRoots::default(),
        files: None,
        saving: None,
    };
    disk.clone().commit(new).unwrap();
}

#[tokio::test]
async fn after_another_writer_a_push_is_the_next_revision_and_one_with_an_expectation_is_told_the_head()
 {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(GOOD)).await.unwrap();
    commit_elsewhere(&disk, 1, &GOOD.replace("0.1", "0.8"));
    let mut expecting = push(OTHER);
    expecting.expect = Some(1);
    let rejected = publisher.commit(expecting).await.unwrap_err();
    assert!(
        matches!(
            rejected,
            Rejected::Conflict {
                expected: 1,
                head: 2
            }
        ),
        "{rejected}"
    );
    assert_eq!(revision(&publisher), 2, "its head is served");
    commit_elsewhere(&disk, 2, &GOOD.replace("0.1", "0.9"));
    let committed = publisher.commit(push(OTHER)).await.unwrap();
    assert_eq!(committed.version.revision, 4);
}

#[tokio::test]
async fn a_push_of_which_nobody_knows_whether_it_is_durable_says_so_and_is_served_if_it_is() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(GOOD)).await.unwrap();
    disk.0.lock().unwrap().unsure = true;
    let mut views = publisher.views();
    views.mark_unchanged();
    let rejected = publisher.commit(push(OTHER)).await.unwrap_err();
    assert!(matches!(rejected, Rejected::Unknown(_)), "{rejected}");
    let changed = tokio::time::timeout(Duration::from_secs(20), views.changed()).await;
    changed.unwrap().unwrap();
    assert_eq!(
        (revision(&publisher), hosts(&publisher)),
        (2, vec!["b.example".to_owned()])
    );
    assert_eq!(publisher.head().unwrap().revision, 2);
}

fn ahead(generation: u64) -> Version {
    Version {
        generation,
        revision: 40,
        ..Version::default()
    }
}

#[tokio::test]
async fn a_new_history_goes_above_what_nodes_hold_until_it_is_settled() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(GOOD)).await.unwrap();
    let before = root(&publisher);
    assert!(publisher.go_above(ahead(7)).await, "of the same generation");
    let version = publisher.views().borrow().version();
    assert_eq!(
        (version.generation, version.revision, version.root),
        (8, 2, before)
    );
    assert!(publisher.go_above(ahead(7)).await);
    assert_eq!(publisher.head().unwrap().revision, 2, "it is above already");
    assert!(publisher.go_above(ahead(900)).await);
    assert_eq!(publisher.head().unwrap().generation, 901);
    assert_eq!(
        publisher
            .commit(push(OTHER))
            .await
            .unwrap()
            .version
            .generation,
        901
    );
    assert!(
        !publisher.go_above(ahead(u64::MAX)).await,
        "no history is that old"
    );

    disk.0.lock().unwrap().settled = true;
    let publisher = disk.open();
    assert!(!publisher.go_above(ahead(902)).await);
    assert!(!publisher.go_above(ahead(901)).await);
    assert_eq!(publisher.head().unwrap().generation, 901);
}

#[tokio::test]
async fn a_history_without_a_commit_begins_above_what_nodes_hold() {
    let publisher = Disk::default().open();
    assert_eq!(publisher.views().borrow().version().generation, 7);
    assert!(publisher.go_above(ahead(900)).await);
    let version = publisher.views().borrow().version();
    assert_eq!((version.generation, version.revision), (901, 0));
    let committed = publisher.commit(push(GOOD)).await.unwrap();
    assert_eq!(
        (committed.version.generation, committed.version.revision),
        (901, 1)
    );
}
