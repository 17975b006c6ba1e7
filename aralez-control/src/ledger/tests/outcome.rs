//! Writes that fail without a known outcome.

use super::*;

/// Leaves the ledger in the state after a write that reached the disk but reported an error: control has closed the file and does not know
/// the outcome.
fn committed_but_not_told(ledger: &mut Ledger, text: &str) -> (Meta, RevisionInfo) {
    let set = documents(text);
    let info = RevisionInfo {
        revision: ledger.meta.head + 1,
        content_hash: set.content_hash(),
        ..ledger.head.clone().unwrap()
    };
    let meta = Meta {
        head: info.revision,
        ..ledger.meta
    };
    let bytes = entry::encode(&info, &set, &ledger.key, [3; 24]).unwrap();
    let entry = Some((info.revision, bytes.as_slice()));
    tables::write(ledger.opened().unwrap(), &meta, entry).unwrap();
    tables::give_up(ledger.database.take());
    (meta, info)
}

#[test]
fn a_commit_that_reached_the_disk_is_not_written_over_by_the_next_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    let (_, info) = committed_but_not_told(&mut ledger, "b");
    let lost = commit(&mut ledger, 1, "c");
    assert!(
        matches!(lost, Err(StoreError::Conflict { head: 2 })),
        "{lost:?}"
    );
    assert_eq!(ledger.head().unwrap().unwrap(), info);
    assert_eq!(ledger.read(2).unwrap().unwrap().documents, documents("b"));
    assert_eq!(commit(&mut ledger, 2, "c").unwrap().revision, 3);
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.read(2).unwrap().unwrap().documents, documents("b"));
}

#[test]
fn while_the_file_cannot_be_read_nothing_is_claimed_and_after_that_the_head_is_what_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    let (_, info) = committed_but_not_told(&mut ledger, "b");
    let (path, aside) = (ledger.path(), dir.path().join("aside"));
    std::fs::rename(&path, &aside).unwrap();
    std::fs::create_dir(&path).unwrap();
    let set = documents("c");
    let new = ledger.write_revision(
        Meta {
            head: 2,
            ..ledger.meta
        },
        RevisionInfo {
            content_hash: set.content_hash(),
            ..info.clone()
        },
        &set,
    );
    let reason = match new {
        Err(StoreError::Unknown(reason)) => reason,
        other => panic!("{other:?}"),
    };
    assert!(
        reason.contains("ledger.redb") && reason.contains("outcome of the write unknown"),
        "{reason}"
    );
    assert!(ledger.refresh().is_err());
    std::fs::remove_dir(&path).unwrap();
    std::fs::rename(&aside, &path).unwrap();
    ledger.refresh().unwrap();
    assert_eq!(ledger.head().unwrap().unwrap(), info);
}
