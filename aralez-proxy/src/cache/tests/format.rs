//! The formats on disk, pinned.

use aralez_proto::record::{Record, RecordKey, ResourceType};
use bytes::Bytes;

use super::*;
use crate::cache::file::{CachePart, Header, ReadError, Whole};
use crate::cache::{file, marks};
use crate::core::sync::snapshot_parts::OrphanedEndpoint;
use crate::core::sync::trial::{Good, Trial, TrialState};

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
        part: CachePart::Authored,
        part_root: records.authored_root(),
        version: Version {
            generation: 1,
            revision: 7,
            sequence: 3,
            operational: 5,
            root: records.root(),
            authored_root: records.authored_root(),
        },
        written_unix_ms: 1_700_000_000_000,
        writer: "0.10.0".to_owned(),
    };
    let key = SealKey::from_bytes([7; 32]);
    let content = file::encode(&header, records.iter(), &[], &key, [9; 24]).unwrap();
    assert_eq!(
        hex(&content),
        "4152414c455a534302000000910000000a10c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c11001180720032a2054a1f97b1377f87f0097fcf02ec6983ccc495735abaf1528cb76472b705b17b53080d095ffbc313a06302e31302e3040054a20b9cf03775b254ea66c89bc6cce9c30b50c51d1de522dbdb5a1452306294b08ca50015a20b9cf03775b254ea66c89bc6cce9c30b50c51d1de522dbdb5a1452306294b08ca01090909090909090909090909090909090909090909090909b462ea896ea9181284080f4c090a6b844b97927554783bc740cc6996dc9110d7ac6a89143c85a063507742513864a9f481cdaf9ce4ff18d4a7da722d63a6059638c7"
    );
    assert_eq!(*Whole::of(content).unwrap().header(), header);
}

#[test]
fn the_file_of_the_other_part_is_that_of_every_release_before() {
    let endpoint = |name: &str| {
        let key = RecordKey::new(ResourceType::Endpoint, name);
        Record::new(key, Bytes::from_static(b"payload"))
    };
    let records: RecordSet = [endpoint("app 127.0.0.1:1")].into_iter().collect();
    let header = Header {
        cluster: vec![0xc1; 16],
        part: CachePart::Other,
        part_root: records.other_root(),
        version: Version {
            root: records.root(),
            authored_root: records.authored_root(),
            ..Version::default()
        },
        written_unix_ms: 1_700_000_000_000,
        writer: "0.10.0".to_owned(),
    };
    let left = OrphanedEndpoint {
        record: endpoint("gone 127.0.0.1:2"),
        since: (1, 7),
    };
    let key = SealKey::from_bytes([7; 32]);
    let content = file::encode(
        &header,
        records.iter(),
        std::slice::from_ref(&left),
        &key,
        [9; 24],
    )
    .unwrap();
    assert_eq!(Digest::of_fields(&[&content]).short(), "6ca21442");
    let (read, body) = Whole::of(content).unwrap().decode(&key).unwrap();
    assert_eq!((read, body.left), (header, vec![left]));
    assert_eq!(body.records.root(), records.root());
}

#[test]
fn a_file_of_a_newer_format_is_named_as_such() {
    let content = file::encode(
        &Header {
            cluster: Vec::new(),
            part: CachePart::Authored,
            part_root: snapshot(1).version().authored_root,
            version: snapshot(1).version(),
            written_unix_ms: 0,
            writer: String::new(),
        },
        snapshot(1).records().authored(),
        &[],
        &SealKey::from_bytes([7; 32]),
        [9; 24],
    );
    let mut content = content.unwrap();
    content.truncate(content.len() - 32);
    content[8] = 3;
    let footer = Digest::of_fields(&[&content]);
    content.extend_from_slice(footer.as_bytes());
    assert!(matches!(Whole::of(content), Err(ReadError::Format(3))));
}

#[test]
fn the_marks_are_those_of_every_release_before() {
    let trial = Trial {
        root: Digest::from([2; 32]),
        blame: 3,
        state: TrialState::OnTrial,
        open: true,
    };
    let marks = Marks {
        good: vec![Good {
            root: Digest::from([1; 32]),
            served: Duration::from_secs(3660),
            this_boot: true,
        }],
        trials: vec![
            trial,
            Trial {
                state: TrialState::Suspect,
                open: false,
                ..trial
            },
            Trial {
                state: TrialState::Fatal,
                ..trial
            },
        ],
        boot_id: vec![3; 16],
        machine: "m".to_owned(),
        cluster: vec![4; 16],
        written: 9,
    };
    let key = SealKey::from_bytes([7; 32]);
    let content = marks::encode(&marks, &key, [9; 24]).unwrap();
    assert_eq!(
        hex(&content),
        "4152414c455a4d3201090909090909090909090909090909090909090909090909ac5ae8aa7ea87b60f6100a3e6a7105e928f1b59842639fe3a48f1a5ed1245159802842d9ca8a95572474aef102fea88555892b1f3d15b749f9e8b753d2873398bf700d91b773da90ab5f270214739f9bcf1b3720b8d1e1389e069cd1210a20a92c54a73b5576591d2c98f0ddea06a86c866c536ffcc3b76adf82d430ffe5ec5658672c384343998a6525cb1316510b0cedfcef4fb33ac7502c722f724839c36e78b572a7e9041558aa50d32624d97045885c36746ffb65ae5f0ae812a6e8a07c14e5d5a400fdcc1358fcc116d855644033c72a11b2e5619d68b4a5a3122e"
    );
    assert_eq!(marks::decode(&content, &key), Some(marks));
    assert_eq!(marks::decode(&content, &SealKey::from_bytes([8; 32])), None);
}
