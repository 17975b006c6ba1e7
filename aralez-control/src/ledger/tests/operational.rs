//! Operational records in the ledger's file.

use aralez_proto::record::{Change, Record, RecordKey, ResourceType};

use super::*;
use crate::core::layers::Operational;

fn put(name: &str, payload: &'static [u8]) -> Change {
    let key = RecordKey::new(ResourceType::Certificate, name);
    Change::Put(Record::new(key, Bytes::from_static(payload)))
}

fn write(ledger: &mut Ledger, changes: &[Change]) -> Operational {
    let next = ledger.operational().unwrap().after(changes).unwrap();
    ledger.write_operational(changes, &next).unwrap();
    next
}

#[test]
fn operational_records_outlive_a_restart_with_their_counter_and_a_commit_leaves_them_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.operational().unwrap(), Operational::default());
    write(&mut ledger, &[put("a", b"one"), put("b", b"two")]);
    commit(&mut ledger, 0, "a: 1\n").unwrap();
    let gone = RecordKey::new(ResourceType::Certificate, "a");
    let expected = write(&mut ledger, &[Change::Delete(gone), put("b", b"three")]);
    drop(ledger);
    let ledger = Ledger::open(dir.path()).unwrap();
    let stored = ledger.operational().unwrap();
    assert_eq!(stored, expected);
    assert_eq!(stored.counter(), 2);
    let payloads: Vec<_> = stored.records().map(|record| &record.payload[..]).collect();
    assert_eq!(payloads, [b"three"]);
    let file = std::fs::read(dir.path().join(LEDGER)).unwrap();
    assert!(!file.windows(5).any(|bytes| bytes == b"three"), "sealed");
}

#[test]
fn a_damaged_operational_record_keeps_control_from_starting_and_is_named_by_a_check() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(dir.path()).unwrap();
    write(&mut ledger, &[put("a", b"one")]);
    drop(ledger);
    assert_eq!(check(dir.path()).unwrap().damaged, Vec::<String>::new());
    // Another key, as after a mix-up of folders: there is no revision whose seal would detect it.
    std::fs::remove_file(dir.path().join(SEAL_KEY)).unwrap();
    drop(private::load_or_create_key(&dir.path().join(SEAL_KEY)).unwrap());
    let damaged = check(dir.path()).unwrap().damaged;
    assert!(
        damaged[0].starts_with("Certificate \"a\" cannot be decrypted"),
        "{damaged:?}"
    );
    let error = open_error(dir.path());
    assert!(
        error.contains("Certificate \"a\" cannot be decrypted"),
        "{error}"
    );
}
