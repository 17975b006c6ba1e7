//! `?save`: the document is committed and written, or the answer names the step that failed.

use super::*;
use crate::core::commit::Saved;

fn saving(text: &str) -> Proposal {
    Proposal {
        save: true,
        ..push(text)
    }
}

fn file(disk: &Disk) -> String {
    let saved = disk.0.lock().unwrap().saved.clone().unwrap_or_default();
    String::from_utf8(saved.to_vec()).unwrap()
}

#[tokio::test]
async fn a_save_that_cannot_be_committed_leaves_the_file_as_it_is() {
    let disk = Disk::default();
    let publisher = disk.open();
    let committed = publisher.commit(saving(GOOD)).await.unwrap();
    assert_eq!(committed.saved, Saved::Written);
    files(&publisher, main_only(GOOD)).await;
    disk.fill(true);
    let rejected = publisher.commit(saving(OTHER)).await.unwrap_err();
    assert!(rejected.to_string().contains("no space left"), "{rejected}");
    assert_eq!(file(&disk), GOOD);
    disk.fill(false);
    files(&publisher, main_only(&file(&disk))).await;
    assert_eq!(
        (revision(&publisher), hosts(&publisher)),
        (1, vec!["a.example".to_owned()])
    );
}

#[tokio::test]
async fn a_push_whose_file_cannot_be_written_serves_and_says_so_and_the_old_file_does_not_undo_it()
{
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(saving(GOOD)).await.unwrap();
    files(&publisher, main_only(GOOD)).await;
    disk.0.lock().unwrap().file_is_stuck = true;
    let committed = publisher.commit(saving(OTHER)).await.unwrap();
    assert!(
        committed.changed
            && matches!(&committed.saved, Saved::Failed(reason) if reason.contains("no space left"))
    );
    for publisher in [publisher, disk.open()] {
        files(&publisher, main_only(GOOD)).await;
        assert_eq!(
            (revision(&publisher), hosts(&publisher)),
            (2, vec!["b.example".to_owned()])
        );
    }
    disk.0.lock().unwrap().file_is_stuck = false;
    let again = disk.open().commit(saving(OTHER)).await.unwrap();
    assert_eq!((again.changed, again.saved), (false, Saved::Written));
    assert_eq!(file(&disk), OTHER);
}

/// State on disk if control crashed between the commit and the write of the file.
async fn died_between() -> Disk {
    let disk = Disk::default();
    let publisher = disk.open();
    publisher.commit(saving(GOOD)).await.unwrap();
    files(&publisher, with_conf_d(GOOD)).await;
    disk.0.lock().unwrap().file_is_stuck = true;
    // The pending save stays, as after a crash.
    let pending = {
        let probe = disk.clone();
        let committed = publisher.commit(saving(OTHER)).await.unwrap();
        let after: DocumentSet = with_conf_d(OTHER);
        let mut kept = probe.0.lock().unwrap();
        kept.file_is_stuck = false;
        crate::core::store::PendingSave {
            revision: committed.version.revision,
            before: Some(Digest::of_fields(&[GOOD.as_bytes()])),
            after: after.content_hash(),
        }
    };
    disk.0.lock().unwrap().saving = Some(pending);
    disk
}

#[tokio::test]
async fn a_save_that_a_crash_interrupted_is_done_at_the_next_start() {
    let disk = died_between().await;
    let publisher = disk.open();
    assert_eq!(file(&disk), OTHER);
    let revision_before = revision(&publisher);
    files(&publisher, with_conf_d(OTHER)).await;
    assert_eq!(
        revision(&publisher),
        revision_before,
        "its own save is no news"
    );
    assert_eq!(disk.0.lock().unwrap().saving, None);
}

#[tokio::test]
async fn a_save_that_a_crash_interrupted_does_not_undo_what_was_edited_since() {
    let disk = died_between().await;
    let edited = GOOD.replace("0.1", "0.9");
    disk.0.lock().unwrap().saved = Some(Bytes::copy_from_slice(edited.as_bytes()));
    let publisher = disk.open();
    assert_eq!(file(&disk), edited);
    files(&publisher, with_conf_d(&edited)).await;
    assert_eq!(hosts(&publisher), ["a.example", "c.example"]);
}

#[tokio::test]
async fn a_save_that_is_done_is_not_done_again() {
    let disk = died_between().await;
    disk.0.lock().unwrap().saved = Some(Bytes::copy_from_slice(OTHER.as_bytes()));
    disk.0.lock().unwrap().file_is_stuck = true;
    let publisher = disk.open();
    files(&publisher, with_conf_d(OTHER)).await;
    assert_eq!(hosts(&publisher), ["b.example"]);
    assert_eq!(disk.0.lock().unwrap().saving, None);
}
