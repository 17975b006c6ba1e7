//! The formats on disk, pinned.

use aralez_proto::record::{Record, RecordKey, ResourceType};
use bytes::Bytes;

use super::*;
use crate::cache::file::Whole;
use crate::cache::{file, marks};
use crate::core::trial::Trial;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_cache_file_is_that_of_every_release_before() {
    let key = RecordKey::new(ResourceType::Pool, "app");
    let records: RecordSet = [Record::new(key, Bytes::from_static(b"payload"))]
        .into_iter()
        .collect();
    let header = Header {
        cluster: vec![0xc1; 16],
        version: Version {
            generation: 1,
            revision: 7,
            sequence: 3,
            root: records.root(),
        },
        written_unix_ms: 1_700_000_000_000,
        writer: "0.10.0".to_owned(),
    };
    let content = file::encode(&header, &records, &SealKey::from_bytes([7; 32]), [9; 24]).unwrap();
    assert_eq!(
        hex(&content),
        "4152414c455a534301000000490000000a10c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c11001180720032a20b9cf03775b254ea66c89bc6cce9c30b50c51d1de522dbdb5a1452306294b08ca3080d095ffbc313a06302e31302e3001090909090909090909090909090909090909090909090909b462ea896ea9181284080f4c090a6b844b97023ef372de303d98f8a02ddbc6d1eab1291d2778b799d6c2c4937b13718ffca8b037caa8779b00c6f8e424cd05867125"
    );
    assert_eq!(*Whole::of(content).unwrap().header(), header);
}

#[test]
fn a_file_of_a_newer_format_is_named_as_such() {
    let content = file::encode(
        &Header {
            cluster: Vec::new(),
            version: snapshot(1).version(),
            written_unix_ms: 0,
            writer: String::new(),
        },
        snapshot(1).records(),
        &SealKey::from_bytes([7; 32]),
        [9; 24],
    );
    let mut content = content.unwrap();
    content.truncate(content.len() - 32);
    content[8] = 2;
    let footer = Digest::of_fields(&[&content]);
    content.extend_from_slice(footer.as_bytes());
    assert!(matches!(Whole::of(content), Err(ReadError::Format(2))));
}

#[test]
fn the_marks_are_those_of_every_release_before() {
    let marks = Marks {
        good: vec![Digest::from([1; 32])],
        trials: vec![Trial {
            root: Digest::from([2; 32]),
            failed: 1,
            open: true,
        }],
        boot_id: vec![3; 16],
        cluster: vec![4; 16],
    };
    let content = marks::encode(&marks);
    assert_eq!(
        hex(&content),
        "4152414c455a4d310a20010101010101010101010101010101010101010101010101010101010101010112260a200202020202020202020202020202020202020202020202020202020202020202100118011a1003030303030303030303030303030303221004040404040404040404040404040404a53d05051c9a53a62b1397d78f9baa3eccbe25dc7447dee0aba03f88f51c8831"
    );
    assert_eq!(marks::decode(&content), Some(marks));
}
