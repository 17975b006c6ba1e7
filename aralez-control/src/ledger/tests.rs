mod entries;
mod operational;
mod outcome;
mod recovery;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aralez_proto::document::DocumentSet;
use aralez_proto::hash::Digest;
use bytes::Bytes;
use redb::backends::FileBackend;

use super::*;
use crate::core::authored_roots::AuthoredRoots;
use crate::core::commit::CommitOrigin;
use crate::core::store::{FilesRead, NewRevision};

/// Formats bytes like the golden vectors.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn documents(text: &str) -> DocumentSet {
    DocumentSet::of_main(Bytes::copy_from_slice(text.as_bytes()))
}

fn commit(ledger: &mut Ledger, parent: u64, text: &str) -> Result<RevisionInfo, StoreError> {
    let documents = documents(text);
    ledger.commit(NewRevision {
        parent,
        unix_ms: 1_700_000_000_000,
        origin: &CommitOrigin::Api,
        message: "because",
        documents: &documents,
        roots: &AuthoredRoots::default(),
        files: None,
        saving: None,
    })
}

fn open_error(dir: &Path) -> String {
    let error = Ledger::open(dir).expect_err("it must not open").to_string();
    assert!(!error.contains('\n'), "{error}");
    error
}

/// An older release reads an entry that a newer one wrote with an unknown origin.
#[test]
fn an_origin_that_this_release_does_not_know_is_kept_as_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let set = documents("a");
    let new = NewRevision {
        parent: 0,
        unix_ms: 0,
        origin: &CommitOrigin::Other("rollback".into()),
        message: "",
        documents: &set,
        roots: &AuthoredRoots::default(),
        files: None,
        saving: None,
    };
    ledger.commit(new).unwrap();
    drop(ledger);
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let head = ledger.head().unwrap().unwrap();
    assert_eq!(head.origin.name(), "rollback");
    assert_eq!(commit(&mut ledger, 1, "b").unwrap().revision, 2);
}

#[test]
fn revisions_and_the_fleets_name_go_on_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let (cluster_id, generation) = {
        let mut ledger = Ledger::open(dir.path()).unwrap();
        assert_eq!(ledger.head().unwrap(), None);
        assert_eq!(commit(&mut ledger, 0, "a").unwrap().revision, 1);
        assert_eq!(commit(&mut ledger, 1, "b").unwrap().revision, 2);
        (ledger.cluster_id(), ledger.generation())
    };
    let mut ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(
        (ledger.cluster_id(), ledger.generation()),
        (cluster_id, generation)
    );
    let head = ledger.head().unwrap().unwrap();
    assert_eq!((head.revision, head.message.as_str()), (2, "because"));
    assert_eq!(ledger.read(2).unwrap().unwrap().documents, documents("b"));
    assert_eq!(ledger.read(1).unwrap().unwrap().documents, documents("a"));
    assert_eq!(ledger.read(3).unwrap(), None);
    assert_eq!(commit(&mut ledger, 2, "c").unwrap().revision, 3);
}

#[test]
fn a_commit_on_a_parent_that_is_not_the_head_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    let lost = commit(&mut ledger, 0, "b");
    assert!(
        matches!(lost, Err(StoreError::Conflict { head: 1 })),
        "{lost:?}"
    );
    assert_eq!(ledger.read(2).unwrap(), None);
}

#[test]
fn the_set_of_files_read_last_is_remembered_alone_and_with_a_commit() {
    let dir = tempfile::tempdir().unwrap();
    let first = FilesRead {
        hash: Digest::from([1; 32]),
        refused: true,
    };
    let second = FilesRead {
        hash: Digest::from([2; 32]),
        refused: false,
    };
    let mut ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.files_read(), None);
    ledger.remember_files(first).unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    drop(ledger);
    let mut ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.files_read(), Some(first));
    let set = documents("b");
    let new = NewRevision {
        parent: 1,
        unix_ms: 0,
        origin: &CommitOrigin::File,
        message: "",
        documents: &set,
        roots: &AuthoredRoots::default(),
        files: Some(second),
        saving: None,
    };
    ledger.commit(new).unwrap();
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.files_read(), Some(second));
}

#[test]
fn no_text_of_a_document_lies_open_in_the_state_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    commit(&mut ledger, 0, "planted-secret-4711").unwrap();
    drop(ledger);
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = bytes
            .windows(19)
            .any(|window| window == b"planted-secret-4711");
        assert!(!found);
    }
}

#[test]
fn a_second_control_on_the_same_folder_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let _first = Ledger::open(dir.path()).unwrap();
    let error = open_error(dir.path());
    assert!(error.contains(&dir.path().display().to_string()), "{error}");
}

#[test]
fn another_key_is_told_with_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    drop(ledger);
    std::fs::remove_file(dir.path().join("seal.key")).unwrap();
    let error = open_error(dir.path());
    assert!(
        error.contains("ledger.redb") && error.contains("seal.key was missing"),
        "{error}"
    );
    let error = open_error(dir.path());
    assert!(error.contains("a key other than seal.key"), "{error}");
}

#[test]
fn a_ledger_of_a_newer_release_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Ledger::open(dir.path()).unwrap();
    let transaction = ledger.opened().unwrap().begin_write().unwrap();
    {
        let mut meta = transaction.open_table(meta::META).unwrap();
        meta.insert("format", 3_u32.to_le_bytes().as_slice())
            .unwrap();
    }
    transaction.commit().unwrap();
    drop(ledger);
    let error = open_error(dir.path());
    assert!(error.contains("newer release"), "{error}");
}

#[test]
fn a_ledger_that_was_not_closed_opens_with_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    // SIGKILL leaves the files as they are while the ledger is open.
    for name in ["ledger.redb", "seal.key"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    let mut ledger = Ledger::open(copy.path()).unwrap();
    assert_eq!(ledger.head().unwrap().unwrap().revision, 1);
    assert_eq!(commit(&mut ledger, 1, "b").unwrap().revision, 2);
}

#[test]
fn a_head_that_is_not_the_newest_revision_is_not_counted_on_from() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    commit(&mut ledger, 1, "b").unwrap();
    for (head, generation) in [(1, 0), (3, 0), (0, 0), (2, 1)] {
        let meta = Meta {
            head,
            generation: ledger.meta.generation + generation,
            ..ledger.meta
        };
        ledger.write(meta, None).unwrap();
        drop(ledger);
        let error = open_error(dir.path());
        assert!(error.contains("ledger.redb: "), "{error}");
        let database = tables::open(&dir.path().join("ledger.redb")).unwrap();
        let meta = Meta {
            head: 2,
            generation: meta.generation - generation,
            ..meta
        };
        tables::write(&database, &meta, None).unwrap();
        drop(database);
        ledger = Ledger::open(dir.path()).unwrap();
    }
}

#[test]
fn a_long_history_costs_nothing_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    let text = "x".repeat(1 << 20);
    for parent in 0..16 {
        commit(&mut ledger, parent, &text).unwrap();
    }
    commit(&mut ledger, 16, "a").unwrap();
    for name in ["ledger.redb", "seal.key"] {
        std::fs::copy(dir.path().join(name), copy.path().join(name)).unwrap();
    }
    drop(ledger);
    for dir in [dir.path(), copy.path()] {
        let read = Arc::new(AtomicU64::new(0));
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .open(dir.join("ledger.redb"));
        let counting = Counting(FileBackend::new(file.unwrap()).unwrap(), Arc::clone(&read));
        let database = tables::open_backend(counting).unwrap();
        assert_eq!(tables::meta(&database).unwrap().unwrap().head, 17);
        assert!(read.load(Ordering::Relaxed) < 2 << 20);
    }
}

/// Counts the bytes read.
#[derive(Debug)]
struct Counting(FileBackend, Arc<AtomicU64>);

impl redb::StorageBackend for Counting {
    fn len(&self) -> Result<u64, std::io::Error> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), std::io::Error> {
        self.1.fetch_add(out.len() as u64, Ordering::Relaxed);
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> Result<(), std::io::Error> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> Result<(), std::io::Error> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), std::io::Error> {
        self.0.write(offset, data)
    }
}

#[test]
fn a_damaged_file_is_an_error_or_whole_but_never_a_panic_or_another_text() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    commit(&mut ledger, 0, "a").unwrap();
    drop(ledger);
    let path = dir.path().join("ledger.redb");
    let good = std::fs::read(&path).unwrap();
    let cuts = [1, 100, 4096, good.len() / 2, good.len() - 1];
    let cut = cuts.into_iter().map(|at| good[..at].to_vec());
    let flipped = (0..good.len()).step_by(good.len() / 40).map(|at| {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        bytes
    });
    for bytes in cut.chain(flipped) {
        std::fs::write(&path, &bytes).unwrap();
        match Ledger::open(dir.path()) {
            Ok(ledger) => {
                let head = ledger.read(ledger.meta.head).unwrap();
                assert!(head.is_none_or(|head| head.documents == documents("a")));
            }
            Err(error) => assert!(error.to_string().contains("ledger.redb"), "{error}"),
        }
    }
}

#[test]
fn the_nodes_that_control_expects_outlive_it_and_cost_no_revision() {
    use crate::core::roster::KnownNode;
    use crate::core::store::NodeChanges;
    let folder = tempfile::tempdir().unwrap();
    let node = |name: &str| KnownNode {
        node: name.parse().unwrap(),
        group: "edge".parse().unwrap(),
        last_seen_unix_ms: 7,
        connected: true,
    };
    let mut ledger = Ledger::open(folder.path()).unwrap();
    assert_eq!(ledger.nodes().unwrap(), []);
    let changes = NodeChanges {
        put: vec![node("a"), node("b")],
        forget: Vec::new(),
    };
    ledger.write_nodes(&changes).unwrap();
    let changes = NodeChanges {
        put: Vec::new(),
        forget: vec!["a".parse().unwrap()],
    };
    ledger.write_nodes(&changes).unwrap();
    drop(ledger);
    let ledger = Ledger::open(folder.path()).unwrap();
    assert_eq!(ledger.nodes().unwrap(), [node("b")]);
    assert_eq!(ledger.head().unwrap(), None);
}
