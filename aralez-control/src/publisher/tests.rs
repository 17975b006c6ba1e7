mod checkpoint;
mod discovered;
mod disk;
mod named_files;
mod operational;
mod recall;
mod save;
mod second_look;
mod sources;
mod store;

use aralez_proto::document::DocumentSet;
use aralez_proto::hash::Digest;
use aralez_proto::model::{Forbidden, GroupName};
use bytes::Bytes;

use super::*;
use crate::core::authored_roots::AuthoredRoots;
use crate::core::commit::{CommitOrigin, Confirmation};
use crate::core::fleet::SharedFleet;
use disk::Disk;

const GOOD: &str = "a.example: {paths: {/: {servers: ['10.0.0.1:80']}}}\n";
const OTHER: &str = "b.example: {paths: {/: {servers: ['10.0.0.2:80']}}}\n";
const FAULTY: &str = "a.example: {paths: {/: {servres: ['10.0.0.1:80']}}}\n";
const CONF_D: &str = "c.example: {paths: {/: {servers: ['10.0.0.3:80']}}}\n";

fn main_only(text: &str) -> DocumentSet {
    DocumentSet::of_main(Bytes::copy_from_slice(text.as_bytes()))
}

fn with_conf_d(text: &str) -> DocumentSet {
    let texts = [(DocumentSet::MAIN, text), ("conf.d/c.yaml", CONF_D)];
    let owned = texts.map(|(name, text)| (name.to_owned(), text.to_owned().into()));
    owned.into_iter().collect()
}

fn push(text: &str) -> Proposal {
    Proposal {
        documents: main_only(text),
        origin: CommitOrigin::Api,
        message: String::new(),
        expect: None,
        save: false,
        confirmation: Confirmation::Missing,
    }
}

async fn files(publisher: &Publisher, documents: DocumentSet) {
    let reading = FilesReading {
        documents: Some(documents),
        ..FilesReading::default()
    };
    publisher.take_reading(Arc::new(reading)).await.unwrap();
}

fn revision(publisher: &Publisher) -> u64 {
    publisher.views().borrow().version().revision
}

fn root(publisher: &Publisher) -> Digest {
    publisher.views().borrow().version().root
}

fn hosts(publisher: &Publisher) -> Vec<String> {
    let view = publisher.views().borrow().view(&GroupName::default());
    let hosts = view.resources().hosts().iter();
    let mut names: Vec<String> = hosts.map(|(pattern, _)| pattern.to_string()).collect();
    names.sort();
    names
}

fn faults(publisher: &Publisher) -> String {
    let status = publisher.source_status();
    let status = status.borrow();
    status
        .faults
        .iter()
        .map(|fault| format!("{fault}\n"))
        .collect()
}

#[tokio::test]
async fn a_push_is_the_next_revision_and_the_same_again_is_none() {
    let publisher = Disk::default().open();
    assert_eq!((revision(&publisher), publisher.head()), (0, None));
    let committed = publisher.commit(push(GOOD)).await.unwrap();
    assert!(committed.changed && committed.touched.contains(&GroupName::default()));
    assert_eq!(committed.version, publisher.views().borrow().version());
    let again = publisher.commit(push(GOOD)).await.unwrap();
    assert!(!again.changed && again.touched.is_empty());
    assert_eq!(again.version, committed.version);
    assert_eq!(
        (publisher.figures().commits, publisher.figures().refused),
        (1, 0)
    );
}

#[tokio::test]
async fn a_revision_keeps_what_its_documents_were_lowered_to() {
    let disk = Disk::default();
    let publisher = disk.open();
    let grouped = format!(
        "{GOOD}e.example: {{groups: [edge], paths: {{/: {{servers: ['10.0.0.9:80']}}}}}}\n"
    );
    publisher.commit(push(&grouped)).await.unwrap();
    let kept = publisher.head().unwrap().roots.unwrap();
    let views = Arc::clone(&publisher.views().borrow());
    let edge: GroupName = "edge".parse().unwrap();
    assert_eq!(kept.default, views.version().authored_root);
    assert_eq!(kept.named[&edge], views.view(&edge).version().authored_root);
    assert_ne!(kept.default, kept.named[&edge]);
    // The same release builds the same roots again.
    let again = Disk::open(&disk);
    let again = AuthoredRoots::of(&again.views().borrow());
    assert!(kept.differing(&again).is_empty());
}

#[tokio::test]
async fn a_faulty_push_changes_nothing_and_names_the_place() {
    let publisher = Disk::default().open();
    publisher.commit(push(GOOD)).await.unwrap();
    let before = root(&publisher);
    let rejected = publisher.commit(push(FAULTY)).await.unwrap_err();
    assert!(
        rejected.to_string().starts_with("upstreams.yaml:1:"),
        "{rejected}"
    );
    assert_eq!((revision(&publisher), root(&publisher)), (1, before));
    assert_eq!(publisher.figures().refused, 1);
    // Faults of a push are reported to its sender, not as the state of the files.
    assert_eq!(faults(&publisher), "");
}

#[tokio::test]
async fn an_expectation_that_lost_is_a_conflict_and_pushes_without_one_never_are() {
    let publisher = Disk::default().open();
    let texts: Vec<String> = (1..=20)
        .map(|port| GOOD.replace(":80", &format!(":{port}")))
        .collect();
    let pushes = texts.iter().map(|text| {
        let publisher = publisher.clone();
        let proposal = push(text);
        tokio::spawn(async move { publisher.commit(proposal).await })
    });
    let mut revisions = Vec::new();
    for push in pushes.collect::<Vec<_>>() {
        revisions.push(push.await.unwrap().unwrap().version.revision);
    }
    revisions.sort_unstable();
    assert_eq!(revisions, (1..=20).collect::<Vec<u64>>());
    let mut late = push(OTHER);
    late.expect = Some(19);
    let rejected = publisher.commit(late.clone()).await.unwrap_err();
    assert!(matches!(
        rejected,
        Rejected::Conflict {
            expected: 19,
            head: 20
        }
    ));
    late.expect = Some(20);
    assert_eq!(publisher.commit(late).await.unwrap().version.revision, 21);
}

#[tokio::test]
async fn a_pushed_configuration_survives_a_restart_with_unchanged_files() {
    let disk = Disk::default();
    let publisher = disk.open();
    files(&publisher, with_conf_d(GOOD)).await;
    assert_eq!(hosts(&publisher), ["a.example", "c.example"]);
    publisher.commit(push(OTHER)).await.unwrap();
    assert_eq!(
        hosts(&publisher),
        ["b.example"],
        "conf.d is replaced as well"
    );
    let pushed = root(&publisher);
    let publisher = disk.open();
    files(&publisher, with_conf_d(GOOD)).await;
    assert_eq!((revision(&publisher), root(&publisher)), (2, pushed));
    // Files that changed while control was down are committed.
    let publisher = disk.open();
    files(&publisher, main_only(GOOD)).await;
    assert_eq!(
        (revision(&publisher), hosts(&publisher)),
        (3, vec!["a.example".to_owned()])
    );
}

#[tokio::test]
async fn a_saved_push_is_not_committed_again_when_the_files_are_read() {
    let disk = Disk::default();
    let publisher = disk.open();
    files(&publisher, with_conf_d(GOOD)).await;
    let mut proposal = push(OTHER);
    proposal.save = true;
    publisher.commit(proposal.clone()).await.unwrap();
    assert_eq!(
        disk.0.lock().unwrap().saved.as_deref(),
        Some(OTHER.as_bytes())
    );
    files(&publisher, with_conf_d(OTHER)).await;
    assert_eq!(
        (revision(&publisher), hosts(&publisher)),
        (2, vec!["b.example".to_owned()])
    );
    // Saving unchanged content writes the file, too.
    disk.0.lock().unwrap().saved = None;
    assert!(!publisher.commit(proposal).await.unwrap().changed);
    assert!(disk.0.lock().unwrap().saved.is_some());
    // The next change of any file commits the whole set.
    files(&publisher, main_only(OTHER)).await;
    files(&publisher, with_conf_d(OTHER)).await;
    assert_eq!(hosts(&publisher), ["b.example", "c.example"]);
}

#[tokio::test]
async fn faulty_files_leave_what_serves_and_are_told_until_they_are_good() {
    let disk = Disk::default();
    let publisher = disk.open();
    files(&publisher, main_only(GOOD)).await;
    let before = root(&publisher);
    files(&publisher, main_only(FAULTY)).await;
    assert!(
        faults(&publisher).starts_with("upstreams.yaml:1:"),
        "{}",
        faults(&publisher)
    );
    assert_eq!((revision(&publisher), root(&publisher)), (1, before));
    // A restart finds the same faulty files and serves the head.
    let publisher = disk.open();
    assert_eq!((revision(&publisher), root(&publisher)), (1, before));
    files(&publisher, main_only(FAULTY)).await;
    assert!(faults(&publisher).starts_with("upstreams.yaml:1:"));
    // Back to the served content: no revision, no fault.
    files(&publisher, main_only(GOOD)).await;
    assert_eq!(
        (revision(&publisher), faults(&publisher)),
        (1, String::new())
    );
    files(&publisher, main_only(OTHER)).await;
    assert_eq!(hosts(&publisher), ["b.example"]);
}

#[tokio::test]
async fn a_set_that_cannot_be_known_changes_nothing_but_the_status() {
    let publisher = Disk::default().open();
    files(&publisher, main_only(GOOD)).await;
    let fault = faults_of_one("conf.d/x.yaml", "cannot be read: permission denied");
    let reading = FilesReading {
        documents: None,
        faults: vec![fault],
        ..FilesReading::default()
    };
    publisher.take_reading(Arc::new(reading)).await.unwrap();
    assert_eq!(
        faults(&publisher),
        "conf.d/x.yaml: cannot be read: permission denied\n"
    );
    assert_eq!(hosts(&publisher), ["a.example"]);
}

fn faults_of_one(file: &str, reason: &str) -> aralez_proto::document::DocumentFault {
    aralez_proto::document::DocumentFault {
        place: aralez_proto::document::Place {
            file: file.to_owned(),
            line: 0,
            column: 0,
        },
        path: String::new(),
        reason: reason.to_owned(),
    }
}

/// Settings that refuse an address.
fn without(address: &str) -> Surroundings {
    let forbidden = Forbidden {
        addresses: vec![address.parse().unwrap()],
        paths: Vec::new(),
    };
    Surroundings {
        forbidden,
        ..Surroundings::default()
    }
}

#[tokio::test]
async fn a_head_that_the_settings_refuse_is_told_and_the_next_commit_goes_on_after_it() {
    let disk = Disk::default();
    let first = disk.open();
    first.commit(push(GOOD)).await.unwrap();
    first.commit(push(OTHER)).await.unwrap();
    let surroundings = without("10.0.0.2:80");
    let publisher = disk.open_with(surroundings);
    assert_eq!(revision(&publisher), 0, "nothing for the nodes to run");
    assert_eq!(publisher.head().unwrap().revision, 2);
    assert!(faults(&publisher).contains("10.0.0.2:80"));
    assert_eq!(
        publisher.commit(push(GOOD)).await.unwrap().version.revision,
        3
    );
    assert_eq!(hosts(&publisher), ["a.example"]);
}

#[tokio::test]
async fn a_head_that_does_not_read_is_told_though_its_files_are_the_same_until_a_push_mends_it() {
    let disk = Disk::default();
    files(&disk.open(), with_conf_d(OTHER)).await;
    let surroundings = without("10.0.0.2:80");
    let publisher = disk.open_with(surroundings);
    files(&publisher, with_conf_d(OTHER)).await;
    assert!(faults(&publisher).contains("10.0.0.2:80"));
    publisher.commit(push(GOOD)).await.unwrap();
    assert_eq!(faults(&publisher), "");
}

#[tokio::test]
async fn the_source_begins_from_the_documents_that_the_files_held() {
    let disk = Disk::default();
    let publisher = disk.open();
    assert!(!publisher.known_files().has_head);
    files(&publisher, with_conf_d(GOOD)).await;
    assert_eq!(disk.open().known_files().documents, with_conf_d(GOOD));
    disk.open().commit(push(OTHER)).await.unwrap();
    let known = disk.open().known_files();
    assert_eq!(
        known.documents,
        DocumentSet::default(),
        "a push says nothing of files"
    );
    assert_eq!(known.hash, Some(with_conf_d(GOOD).content_hash()));
    assert!(known.has_head);
}
