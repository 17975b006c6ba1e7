use proptest::prelude::*;

use super::*;

use aralez_proto::parallel::InTurn;

fn cached(kind: u32, key: &str, payload: &str) -> wire::CachedRecord {
    wire::CachedRecord {
        r#type: kind,
        key: key.to_owned(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    }
}

fn body(records: Vec<wire::CachedRecord>) -> Bytes {
    let left = Vec::new();
    wire::CacheBody { records, left }.encode_to_vec().into()
}

/// Returns the records, or the error text.
fn told(body: Result<FileBody, ReadError>) -> Result<Vec<Record>, String> {
    let body = body.map_err(|error| error.to_string())?;
    Ok(body.records.iter().cloned().collect())
}

/// Decodes with the fast path only.
fn read_as_written(body: &Bytes) -> Result<FileBody, ReadError> {
    let halves = as_written(body).ok_or(ReadError::Short)?;
    Ok(FileBody {
        records: RecordSet::of(halves, &InTurn),
        left: Vec::new(),
    })
}

fn by_the_format(body: &Bytes) -> Result<Vec<Record>, String> {
    told(as_allowed(body))
}

fn any_record() -> impl Strategy<Value = wire::CachedRecord> {
    let record = ("[a-e]{1,2}", "[x-z]{1,200}", 1..5_u32);
    record.prop_map(|(key, payload, kind)| cached(kind, &key, &payload))
}

proptest! {
    #[test]
    fn what_a_proxy_wrote_is_read_as_written_in_any_order_and_with_any_key_twice(
        records in prop::collection::vec(any_record(), 0..60),
    ) {
        let body = body(records);
        let read = told(read_as_written(&body));
        prop_assert!(read.is_ok());
        prop_assert_eq!(read, by_the_format(&body));
    }

    #[test]
    fn a_body_with_other_bytes_is_taken_or_refused_as_the_format_says(
        records in prop::collection::vec(any_record(), 0..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        end in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = body(records).to_vec();
        for (at, byte) in changes {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if cut {
            bytes.truncate(end.index(bytes.len() + 1));
        }
        let body = Bytes::from(bytes);
        prop_assert_eq!(told(decode(&body)), by_the_format(&body));
    }
}

#[test]
fn the_last_of_a_key_stays_also_across_the_halves() {
    for (other, expected) in [("b", 2), ("a", 1)] {
        let records = vec![cached(3, other, "first"), cached(3, "a", "later")];
        let read = told(read_as_written(&body(records))).unwrap();
        assert_eq!(read.len(), expected);
        let kept = read.iter().find(|record| &*record.key.name == "a");
        assert_eq!(kept.unwrap().payload, "later");
    }
}

#[test]
fn none_one_and_records_of_very_different_sizes_are_read() {
    let huge = "x".repeat(1 << 20);
    for records in [
        vec![],
        vec![cached(3, "a", "p")],
        vec![cached(3, "a", &huge), cached(3, "b", "p")],
        vec![cached(3, "a", "p"), cached(3, "b", &huge)],
    ] {
        let count = records.len();
        let read = told(read_as_written(&body(records))).unwrap();
        assert_eq!(read.len(), count);
    }
}

#[test]
fn a_record_cut_anywhere_is_damage() {
    let whole = body(vec![cached(3, "a", &"p".repeat(200))]);
    for length in 1..whole.len() {
        let found = told(decode(&whole.slice(..length)));
        assert!(found.is_err_and(|text| text.starts_with("is damaged: ")));
    }
}

#[test]
fn a_type_of_a_later_release_is_named() {
    let found = told(decode(&body(vec![
        cached(3, "a", "p"),
        cached(99, "b", "p"),
    ])));
    let expected = "is damaged: unknown resource type 99";
    assert_eq!(found.unwrap_err(), expected);
}

#[test]
fn what_stands_behind_a_payload_is_taken_or_refused_as_the_format_says() {
    let payload = |behind: &[u8]| {
        let record = [b"\x08\x03\x12\x01a\x1a\x01p".as_slice(), behind].concat();
        let length = u8::try_from(record.len()).unwrap();
        let body = Bytes::from([[RECORD, length].as_slice(), &record].concat());
        let found = told(decode(&body));
        assert_eq!(found, by_the_format(&body));
        found.map(|records| records[0].payload.to_vec())
    };
    assert_eq!(payload(b""), Ok(b"p".to_vec()));
    assert_eq!(payload(b"\x20\x07"), Ok(b"p".to_vec()));
    assert_eq!(payload(b"\x1a\x01q"), Ok(b"q".to_vec()));
    assert!(payload(b"\x20").is_err() && payload(b"\x1a\x05q").is_err());
}

/// A record as a later release may write it: fields in another order, empty ones omitted, and new ones.
#[test]
fn what_the_format_allows_is_taken_though_no_proxy_writes_it() {
    let record = b"\x1a\x01p\x12\x01a\x08\x03\x20\x07";
    let mut bytes = vec![RECORD, u8::try_from(record.len()).unwrap()];
    bytes.extend_from_slice(record);
    bytes.extend_from_slice(&body(vec![cached(3, "b", "")]));
    let read = told(decode(&bytes.into())).unwrap();
    let names: Vec<&str> = read.iter().map(|record| &*record.key.name).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"a") && names.contains(&"b"));
}

#[test]
fn endpoints_that_are_left_for_older_documents_come_back_with_their_revision() {
    let left = wire::LeftEndpoint {
        record: Some(cached(4, "p 127.0.0.1:1", "x")),
        generation: 2,
        revision: 7,
    };
    let body = wire::CacheBody {
        records: vec![cached(5, "c", "p")],
        left: vec![left],
    };
    let read = decode(&body.encode_to_vec().into()).unwrap();
    assert_eq!(read.records.len(), 1);
    assert_eq!(read.left.len(), 1);
    assert_eq!(read.left[0].since, (2, 7));
    assert_eq!(&*read.left[0].record.key.name, "p 127.0.0.1:1");
}
