//! A ledger that is lost, restored or damaged, and its identity file.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn backed_up(ledger: &mut Ledger, to: &Path) {
    let mut backup = ledger.backup().unwrap();
    let mut bytes = Vec::new();
    backup.content.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, backup.length);
    std::fs::write(to, bytes).unwrap();
}

/// Creates a folder with revisions 1 and 2 and a backup that contains only the first.
fn with_backup() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backup");
    let mut ledger = Ledger::open(&dir.path().join("control")).unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    backed_up(&mut ledger, &file);
    commit(&mut ledger, 1, "b").unwrap();
    (dir, file)
}

#[test]
fn a_new_ledger_beside_an_identity_belongs_to_the_same_cluster() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let cluster = ledger.cluster_id();
    drop(ledger);
    let identity = dir.path().join("cluster.key");
    let mode = std::fs::metadata(&identity).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o400);
    std::fs::remove_file(dir.path().join("ledger.redb")).unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!((ledger.cluster_id(), ledger.is_settled()), (cluster, false));
    drop(ledger);
    std::fs::remove_file(&identity).unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.cluster_id(), cluster, "made again from the ledger");
    assert_eq!(std::fs::read(&identity).unwrap(), cluster);
}

#[test]
fn a_ledger_of_another_cluster_is_not_opened_and_the_error_says_what_to_do() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&dir, &other] {
        drop(Ledger::open(dir.path()).unwrap());
    }
    std::fs::rename(
        other.path().join("cluster.key"),
        dir.path().join("cluster.key"),
    )
    .unwrap();
    let error = open_error(dir.path());
    assert!(
        error.contains("cluster.key") && error.contains("remove"),
        "{error}"
    );
    std::fs::remove_file(dir.path().join("cluster.key")).unwrap();
    std::fs::write(dir.path().join("cluster.key"), "short").unwrap();
    let error = open_error(dir.path());
    assert!(error.contains("found 5"), "{error}");
}

#[test]
fn a_restored_backup_is_a_new_generation_with_its_documents() {
    let (dir, file) = with_backup();
    let folder = dir.path().join("control");
    let before = Ledger::open(&folder).unwrap();
    let (cluster, generation) = (before.cluster_id(), before.generation());
    drop(before);
    let refused = restore(&file, &folder, false).unwrap_err().to_string();
    assert!(
        refused.contains("2 revisions") && refused.contains("--force"),
        "{refused}"
    );
    // Restoring repeatedly works, each time above the previous generation.
    let mut last = generation;
    for _ in 0..3 {
        let restored = restore(&file, &folder, true).unwrap();
        assert!(restored.generation > last, "{restored:?}");
        last = restored.generation;
        assert_eq!((restored.backup_revision, restored.revision), (1, 2));
        assert!(restored.kept.iter().all(|kept| kept.exists()) && restored.kept.len() == 3);
        let ledger = Ledger::open(&folder).unwrap();
        assert_eq!(ledger.cluster_id(), cluster);
        let head = ledger.head().unwrap().unwrap();
        assert_eq!((head.generation, head.revision), (last, 2));
        assert!(
            head.message.contains("restored from a backup"),
            "{}",
            head.message
        );
        assert_eq!(ledger.read(2).unwrap().unwrap().documents, documents("a"));
        assert!(!ledger.is_settled());
        drop(ledger);
        assert_eq!(check(&folder).unwrap().damaged, Vec::<String>::new());
    }
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().flatten().collect();
    let left = names.iter().map(|entry| entry.file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().contains("restoring"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_backup_is_restored_where_there_is_nothing_but_not_beside_a_running_control_or_another_cluster()
{
    let (dir, file) = with_backup();
    let empty = dir.path().join("elsewhere/control");
    assert_eq!(restore(&file, &empty, false).unwrap().revision, 2);
    let running = Ledger::open(&empty).unwrap();
    let held = restore(&file, &empty, true).unwrap_err().to_string();
    assert!(held.contains("in use"), "{held}");
    drop(running);
    let foreign = dir.path().join("foreign");
    drop(Ledger::open(&foreign).unwrap());
    let refused = restore(&file, &foreign, false).unwrap_err().to_string();
    assert!(refused.contains("another cluster"), "{refused}");
    restore(&file, &foreign, true).unwrap();
    Ledger::open(&foreign).unwrap();
}

#[test]
fn a_damaged_or_cut_backup_replaces_nothing() {
    let (dir, file) = with_backup();
    let folder = dir.path().join("control");
    let good = std::fs::read(&file).unwrap();
    let mut cases = vec![b"aralez".to_vec(), good[..good.len() - 1].to_vec()];
    cases.push([good.as_slice(), b"x"].concat());
    for at in [15, 40, 90, 140, good.len() - 1] {
        let mut flipped = good.clone();
        flipped[at] ^= 1;
        cases.push(flipped);
    }
    for case in cases {
        std::fs::write(&file, case).unwrap();
        let error = restore(&file, &folder, true).unwrap_err().to_string();
        assert!(error.contains(file.to_str().unwrap()), "{error}");
        let ledger = Ledger::open(&folder).unwrap();
        assert_eq!(ledger.head().unwrap().unwrap().revision, 2);
    }
}

#[test]
fn an_interrupted_restore_is_no_new_history_and_is_finished_by_the_next_one() {
    let (dir, file) = with_backup();
    let folder = dir.path().join("control");
    let restoring = folder.join("restoring");
    std::fs::create_dir(&restoring).unwrap();
    std::fs::rename(folder.join("ledger.redb"), restoring.join("ledger.redb")).unwrap();
    let error = open_error(&folder);
    assert!(error.contains("store restore"), "{error}");
    assert!(check(&folder).is_err());
    restore(&file, &folder, false).unwrap();
    let ledger = Ledger::open(&folder).unwrap();
    assert_eq!(ledger.read(2).unwrap().unwrap().documents, documents("a"));
}

#[test]
fn a_check_names_what_is_damaged_and_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let error = check(dir.path()).unwrap_err().to_string();
    assert!(error.contains("there is no ledger"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let mut ledger = Ledger::open(dir.path()).unwrap();
    for (parent, text) in ["a", "b", "c", "d"].into_iter().enumerate() {
        commit(&mut ledger, parent as u64, text).unwrap();
    }
    let held = check(dir.path()).unwrap_err().to_string();
    assert!(held.contains("in use"), "{held}");
    // Entries sealed with another key, missing, and truncated.
    let database = ledger.opened().unwrap();
    let foreign = RevisionInfo {
        revision: 2,
        ..ledger.head.clone().unwrap()
    };
    let foreign = entry::encode(
        &foreign,
        &documents("d"),
        &SealKey::from_bytes([1; 32]),
        [1; 24],
    );
    let foreign = foreign.unwrap();
    tables::write(database, &ledger.meta, Some((2, foreign.as_slice()))).unwrap();
    tables::write(database, &ledger.meta, Some((3, b"\x08\x01".as_slice()))).unwrap();
    drop(ledger);
    std::fs::remove_file(dir.path().join("cluster.key")).unwrap();
    let checked = check(dir.path()).unwrap();
    assert_eq!((checked.revision, checked.whole), (4, 2));
    let damaged = checked.damaged.join("\n");
    assert!(
        damaged.contains("revision 2") && damaged.contains("revision 3"),
        "{damaged}"
    );
    assert_eq!(checked.damaged.len(), 2, "{damaged}");
    assert!(checked.notes[0].contains("cluster.key"));
    assert!(!dir.path().join("cluster.key").exists());
    std::fs::remove_file(dir.path().join("seal.key")).unwrap();
    let error = check(dir.path()).unwrap_err().to_string();
    assert!(error.contains("seal.key"), "{error}");
    assert!(!dir.path().join("seal.key").exists());
}

#[test]
fn a_generation_goes_up_and_never_down_and_takes_the_head_along() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let first = ledger.generation();
    assert_eq!(ledger.begin_generation(first + 5, 1, "x").unwrap(), None);
    ledger.settle().unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    assert!(ledger.begin_generation(first + 5, 1, "x").is_err());
    let head = ledger.begin_generation(first + 9, 1, "x").unwrap().unwrap();
    assert_eq!((head.generation, head.revision), (first + 9, 2));
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.head().unwrap().unwrap(), head);
    assert_eq!(ledger.read(1).unwrap().unwrap().info.generation, first + 5);
}
