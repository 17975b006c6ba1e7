//! Operational records that control stores for the fleet.

use aralez_proto::convert::endpoint_record;
use aralez_proto::model::{Endpoint, EndpointOwner};
use aralez_proto::record::{Change as RecordChange, Record, RecordKey, ResourceType};

use super::*;

/// The documents of [`GOOD`] and another host.
const MORE: &str = "a.example: {paths: {/: {servers: ['10.0.0.1:80']}}}\nb.example: {paths: {/: {servers: ['10.0.0.2:80']}}}\n";

/// This release serves no resource of the operational layer, so an endpoint that no source finds is used instead.
fn record() -> Record {
    let pool = "a.example/".parse().unwrap();
    let endpoint = Endpoint::new("10.0.0.77:80".parse().unwrap());
    endpoint_record(EndpointOwner::Source, &pool, &endpoint)
}

async fn put(publisher: &Publisher, record: Record) -> Result<Committed, Rejected> {
    let change = Change::Operational(vec![RecordChange::Put(record)]);
    publisher.apply(change).await
}

fn has(publisher: &Publisher) -> bool {
    let view = publisher.views().borrow().view(&GroupName::default());
    view.records().get(&record().key).is_some()
}

fn counter(publisher: &Publisher) -> u64 {
    publisher.views().borrow().version().operational
}

#[tokio::test]
async fn a_record_is_in_every_view_without_a_revision_and_stays_over_commits_and_restarts() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(GOOD)).await.unwrap();
    let committed = put(&publisher, record()).await.unwrap();
    assert!(!committed.changed && committed.touched.contains(&GroupName::default()));
    assert_eq!(committed.version, publisher.views().borrow().version());
    assert_eq!((revision(&publisher), counter(&publisher)), (1, 1));
    assert!(has(&publisher));
    let again = put(&publisher, record()).await.unwrap();
    assert!(again.touched.is_empty(), "the same again is no change");
    publisher.commit(push(MORE)).await.unwrap();
    assert!(has(&publisher), "documents replace documents alone");
    assert_eq!((revision(&publisher), counter(&publisher)), (2, 1));

    let before = root(&publisher);
    drop(publisher);
    let publisher = disk.open();
    assert_eq!((root(&publisher), counter(&publisher)), (before, 1));
    let gone = vec![RecordChange::Delete(record().key)];
    publisher.apply(Change::Operational(gone)).await.unwrap();
    assert!(!has(&publisher));
    assert_eq!(counter(&publisher), 2);
}

#[tokio::test]
async fn what_nodes_would_refuse_is_not_kept_whether_or_not_there_is_a_view() {
    let disk = Disk::default();
    let publisher = disk.open();
    let key = RecordKey::new(ResourceType::Certificate, "a.example");
    let certificate = Record::new(key, record().payload);
    for _ in 0..2 {
        let before = root(&publisher);
        let rejected = put(&publisher, certificate.clone()).await.unwrap_err();
        assert!(rejected.to_string().contains("a.example"), "{rejected}");
        assert_eq!(root(&publisher), before);
        assert_eq!(disk.0.lock().unwrap().operational.counter(), 0);
        publisher.commit(push(GOOD)).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_kept_before_the_first_commit_is_in_it() {
    let publisher = Disk::default().open();
    put(&publisher, record()).await.unwrap();
    assert_eq!(revision(&publisher), 0);
    publisher.commit(push(GOOD)).await.unwrap();
    assert!(has(&publisher));
    assert_eq!(counter(&publisher), 1);
}

#[tokio::test]
async fn a_record_that_cannot_be_written_is_in_no_view_and_one_of_unknown_outcome_follows() {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(push(GOOD)).await.unwrap();
    disk.fill(true);
    let rejected = put(&publisher, record()).await.unwrap_err();
    assert!(matches!(rejected, Rejected::Store(_)), "{rejected}");
    assert!(!has(&publisher));
    disk.fill(false);
    disk.0.lock().unwrap().unsure = true;
    let rejected = put(&publisher, record()).await.unwrap_err();
    assert!(matches!(rejected, Rejected::Unknown(_)), "{rejected}");
    let mut views = publisher.views();
    let follows = views.wait_for(|views| views.version().operational == 1);
    let followed = tokio::time::timeout(Duration::from_secs(10), follows).await;
    drop(followed.unwrap().unwrap());
    assert!(has(&publisher));
}

#[tokio::test]
async fn what_documents_make_is_nothing_that_control_keeps() {
    let publisher = Disk::default().open();
    publisher.commit(push(GOOD)).await.unwrap();
    let view = publisher.views().borrow().view(&GroupName::default());
    let authored: Vec<Record> = view.records().authored().cloned().collect();
    for record in authored {
        let rejected = put(&publisher, record).await.unwrap_err();
        assert!(
            rejected
                .to_string()
                .contains("a type that only documents define"),
            "{rejected}"
        );
    }
    assert_eq!(counter(&publisher), 0);
}
