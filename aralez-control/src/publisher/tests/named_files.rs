//! The files that documents name are part of their set.

use std::collections::BTreeSet;

use aralez_proto::document::NamedFiles;

use super::*;

/// Names one file, `a`.
const NAMING: &str = "errors: {404: a}\nn.example: {paths: {/: {servers: ['10.0.0.1:80']}}}\n";

/// Returns documents with files.
fn with_files(documents: DocumentSet, files: &[(&str, &'static str)]) -> DocumentSet {
    let files = files
        .iter()
        .map(|(path, content)| (path.parse().unwrap(), Ok((*content).into())));
    documents.with_files(files.collect::<NamedFiles>())
}

fn naming(content: &'static str) -> DocumentSet {
    with_files(main_only(NAMING), &[("a", content)])
}

/// Returns the names of the files that the source is asked to find.
fn wanted(publisher: &Publisher) -> BTreeSet<String> {
    let wanted = publisher.outlets.wanted.borrow();
    wanted.files().iter().map(ToString::to_string).collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Returns the content of the page for 404 of the head.
fn page(disk: &Disk) -> Option<Bytes> {
    let revisions = &disk.0.lock().unwrap().revisions;
    let files = revisions.last().unwrap().documents.files();
    files.contents().next().map(|(_, content)| content.clone())
}

fn put(disk: &Disk, path: &str, content: &'static str) {
    let named = &mut disk.0.lock().unwrap().named;
    named.insert(path.to_owned(), content.into());
}

fn faults(publisher: &Publisher) -> Vec<String> {
    let status = publisher.source_status();
    status
        .borrow()
        .faults
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[tokio::test]
async fn a_set_of_files_waits_until_the_source_has_found_the_files_that_it_names() {
    let disk = Disk::default();
    let publisher = disk.open();
    files(&publisher, main_only(NAMING)).await;
    assert_eq!((revision(&publisher), faults(&publisher)), (0, vec![]));
    assert_eq!(wanted(&publisher), names(&["a"]));
    files(&publisher, naming("1")).await;
    assert_eq!((revision(&publisher), page(&disk)), (1, Some("1".into())));
    let before = root(&publisher);
    files(&publisher, naming("2")).await;
    assert_eq!((revision(&publisher), page(&disk)), (2, Some("2".into())));
    assert_ne!(root(&publisher), before);
    // A restart asks for the same files, and changes nothing.
    let again = disk.open();
    assert_eq!(
        (root(&again), wanted(&again)),
        (root(&publisher), names(&["a"]))
    );
    let known = again.known_files();
    assert_eq!(known.documents, naming("2"));
    files(&again, naming("2")).await;
    assert_eq!(revision(&again), 2);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_a_fault_where_it_is_named_until_it_appears() {
    let publisher = Disk::default().open();
    let missing = [("a".parse().unwrap(), Err("does not exist".into()))];
    let missing = main_only(NAMING).with_files(missing.into_iter().collect());
    files(&publisher, missing.clone()).await;
    let fault = "upstreams.yaml:1:15: errors.404: the file `a` does not exist";
    assert_eq!(
        (revision(&publisher), faults(&publisher)),
        (0, vec![fault.to_owned()])
    );
    files(&publisher, naming("1")).await;
    assert_eq!((revision(&publisher), faults(&publisher)), (1, vec![]));
    files(&publisher, missing).await;
    assert_eq!(revision(&publisher), 1, "bad news");
}

#[tokio::test]
async fn a_typo_does_not_forget_the_files_and_a_valid_set_without_them_does() {
    let publisher = Disk::default().open();
    files(&publisher, main_only(NAMING)).await;
    files(&publisher, naming("1")).await;
    files(&publisher, with_files(main_only(FAULTY), &[("a", "1")])).await;
    assert_eq!(
        (faults(&publisher).is_empty(), wanted(&publisher)),
        (false, names(&["a"]))
    );
    files(&publisher, with_files(main_only(GOOD), &[("a", "1")])).await;
    assert_eq!((revision(&publisher), wanted(&publisher)), (2, names(&[])));
    // The next reading is without the file: the same set.
    files(&publisher, main_only(GOOD)).await;
    assert_eq!((revision(&publisher), faults(&publisher)), (2, vec![]));
}

#[tokio::test]
async fn a_push_uses_the_files_on_disk_and_the_files_of_the_folder_do_not_undo_it() {
    let disk = Disk::default();
    let publisher = disk.open();
    files(&publisher, main_only(GOOD)).await;
    let refused = publisher.commit(push(NAMING)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "upstreams.yaml:1:15: errors.404: the file `a` does not exist"
    );
    put(&disk, "a", "1");
    let committed = publisher.commit(push(NAMING)).await.unwrap();
    assert_eq!(
        (committed.version.revision, page(&disk)),
        (2, Some("1".into()))
    );
    assert!(
        !publisher.commit(push(NAMING)).await.unwrap().changed,
        "equal content"
    );
    put(&disk, "a", "2");
    assert!(
        publisher.commit(push(NAMING)).await.unwrap().changed,
        "another content"
    );
    assert_eq!(
        wanted(&publisher),
        names(&[]),
        "the set of files names none"
    );
    files(&publisher, main_only(GOOD)).await;
    assert_eq!((revision(&publisher), publisher.figures().refused), (3, 1));
    assert_eq!(disk.open().known_files().documents, DocumentSet::default());
}

#[tokio::test]
async fn a_saved_push_stays_while_the_source_learns_the_files_that_it_names() {
    let disk = Disk::default();
    let publisher = disk.open();
    files(&publisher, with_conf_d(GOOD)).await;
    put(&disk, "a", "1");
    let saving = Proposal {
        save: true,
        ..push(NAMING)
    };
    publisher.commit(saving.clone()).await.unwrap();
    // `conf.d` is not part of the push, and must not return.
    files(&publisher, with_conf_d(NAMING)).await;
    assert_eq!(wanted(&publisher), names(&["a"]));
    files(&publisher, with_files(with_conf_d(NAMING), &[("a", "1")])).await;
    assert_eq!(hosts(&publisher), ["n.example"]);
    // And back to a document that names none, while the source still looks for the file.
    publisher
        .commit(Proposal {
            save: true,
            ..push(GOOD)
        })
        .await
        .unwrap();
    files(&publisher, with_files(with_conf_d(GOOD), &[("a", "1")])).await;
    assert_eq!(hosts(&publisher), ["a.example"]);
    assert_eq!((revision(&publisher), wanted(&publisher)), (3, names(&[])));
}

#[tokio::test]
async fn the_files_on_disk_are_taken_with_the_files_that_they_name() {
    let disk = Disk::default();
    let publisher = disk.open();
    disk.0.lock().unwrap().on_disk = Some(Ok(main_only(NAMING)));
    put(&disk, "a", "1");
    let take = TakeFiles {
        message: String::new(),
        confirmation: Confirmation::Missing,
    };
    publisher.take_files(take).await.unwrap();
    assert_eq!(
        (page(&disk), wanted(&publisher)),
        (Some("1".into()), names(&["a"]))
    );
    files(&publisher, naming("1")).await;
    assert_eq!(revision(&publisher), 1);
}
